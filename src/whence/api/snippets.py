"""How to load a model or read a dataset, as code: with the tool that its address belongs to, and seen by whence."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from whence.errors import InvalidReference
from whence.model.kinds import EntityKind
from whence.model.refs import Ref, parse_ref

_SQL = frozenset({"postgres", "mysql", "mssql", "oracle", "trino", "clickhouse", "snowflake", "bigquery", "redshift"})
_WITH_DATABASE = frozenset({"postgres", "mssql", "redshift"})
"""A connection is to one database there, so a statement doesn't name it."""
_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".json": "read_json", ".orc": "read_orc"}
_LOADERS = {
    ".joblib": "model = joblib.load({})",
    ".onnx": "session = onnxruntime.InferenceSession({})",
    ".pkl": "model = pickle.load(open({}, 'rb'))",
    ".pt": "model = torch.load({})",
    ".safetensors": "weights = safetensors.torch.load_file({})",
}
_SOMEHOW = "..."


def snippet(key: str, kind: EntityKind, columns: Sequence[str] = ()) -> str:
    """Python that uses one version of a model or dataset.

    Args:
        key: Of the version, or of the entity where no version is known.
        kind: Model or dataset.
        columns: Those that consumers are known to use; none: all.
    """
    try:
        ref = parse_ref(key)
    except InvalidReference:
        return ""
    is_model = kind is EntityKind.MODEL
    verb = "uses_model" if is_model else "reads"
    step = _load(ref) if is_model else _read(ref, columns)
    return f"with whence.{verb}({_text(key)}):\n    {step}"


def _load(ref: Ref) -> str:
    scheme = ref.namespace.partition("://")[0]
    if scheme.startswith("mlflow"):
        return f"model = mlflow.pyfunc.load_model({_text('/'.join(filter(None, ('models:', ref.name, ref.version))))})"
    if ref.namespace == "https://huggingface.co":
        return f"model = AutoModel.from_pretrained({_pinned(ref)})"
    if ref.namespace == "genai://openai":
        return f"reply = client.responses.create(model={_text(ref.name)}, input=...)"
    ending = next((one for one in _LOADERS if ref.name.endswith(one)), None)
    return _LOADERS[ending].format(_text(_path(ref))) if ending is not None else _SOMEHOW


def _read(ref: Ref, columns: Sequence[str]) -> str:
    scheme = ref.namespace.partition("://")[0]
    if scheme in _SQL:
        table = ref.name.partition(".")[2] if scheme in _WITH_DATABASE and "." in ref.name else ref.name
        statement = " ".join(("SELECT", ", ".join(columns) or "*", "FROM", table))
        return f"rows = connection.execute({_text(statement)})"
    if scheme == "kafka":
        return f"consumer.subscribe([{_text(ref.name)}])"
    if ref.namespace == "https://huggingface.co/datasets":
        return f"rows = load_dataset({_pinned(ref)})"
    by_kind = _BY_KIND.get(ref.kind or "")
    if by_kind is not None:
        return by_kind(ref)
    reader = next((one for ending, one in _READERS.items() if ref.name.endswith(ending)), None)
    chosen = f", columns={list(columns)!r}" if columns and reader in ("read_parquet", "read_orc") else ""
    return f"frame = pandas.{reader}({_text(_path(ref))}{chosen})" if reader else _SOMEHOW


def _delta(ref: Ref) -> str:
    return f"table = DeltaTable({_text(_path(ref))}, version={ref.version})"


def _iceberg(ref: Ref) -> str:
    table = ".".join(ref.name.split("/")[-2:])
    return f"rows = catalog.load_table({_text(table)}).scan(snapshot_id={ref.version}).to_arrow()"


_BY_KIND: dict[str, Callable[[Ref], str]] = {"delta": _delta, "iceberg": _iceberg}


def _pinned(ref: Ref) -> str:
    return ", ".join([_text(ref.name), *([f"revision={_text(ref.version)}"] if ref.version else [])])


def _path(ref: Ref) -> str:
    return ref.name if ref.namespace == "file" else f"{ref.namespace}/{ref.name}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
