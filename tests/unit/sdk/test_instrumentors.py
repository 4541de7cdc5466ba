"""Every instrumentor against the real library: what a request's span says of what was loaded, read and written."""

import os
import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import joblib  # type: ignore[import-untyped]
import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
import safetensors.numpy
import sqlalchemy as sa
from sklearn.linear_model import LinearRegression  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

import whence
from tests.unit.sdk.instrumented import Request, by_content, instrumented, request_
from whence.model.names import INPUTS, MODELS, OUTPUTS
from whence.sdk import instrument
from whence.sdk.guard import losses
from whence.sdk.instrument import files

__all__ = ["instrumented", "request_"]

FRAME = {"user": [1, 2], "score": [0.5, 1.5]}


def fitted() -> LinearRegression:
    return LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))


def dump_with_pickle(model: object, path: Path) -> None:
    with path.open("wb") as file:
        pickle.dump(model, file)


def load_with_pickle(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)


@pytest.mark.parametrize("how", ["joblib", "pickle"])
def test_model_from_a_file_tags_each_prediction_with_its_digest(request_: Request, tmp_path: Path, how: str) -> None:
    path = tmp_path / "ranker.model"
    joblib.dump(fitted(), path) if how == "joblib" else dump_with_pickle(fitted(), path)
    model = joblib.load(path) if how == "joblib" else load_with_pickle(path)
    with request_:
        assert model.predict(np.array([[3.0]]))[0] == pytest.approx(6.0)
    assert request_[MODELS] == {by_content(path)}
    other = fitted()
    with request_:
        other.predict(np.array([[3.0]]))
    assert request_[MODELS] == set()


def test_model_that_the_application_names_itself_has_no_second_name(request_: Request, tmp_path: Path) -> None:
    joblib.dump(fitted(), tmp_path / "ranker.joblib")
    model = joblib.load(tmp_path / "ranker.joblib")
    with request_, whence.uses_model("file#shop/ranker@version:v42"):
        model.predict(np.array([[3.0]]))
    assert request_[MODELS] == {"file#shop/ranker@version:v42"}


def test_pipeline_inside_a_dict_is_found_and_keeps_its_optional_methods(request_: Request, tmp_path: Path) -> None:
    path = tmp_path / "ranker.joblib"
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))
    joblib.dump({"pipeline": pipeline, "columns": ["age"]}, path)
    model = joblib.load(path)["pipeline"]
    assert not hasattr(model, "predict_proba")
    with request_:
        model.predict(np.array([[3.0]]))
    assert request_[MODELS] == {by_content(path)}


def test_what_is_no_model_is_not_hashed(tmp_path: Path) -> None:
    joblib.dump({"columns": ["age"]}, tmp_path / "columns.joblib")
    known = len(files._known)
    assert joblib.load(tmp_path / "columns.joblib") == {"columns": ["age"]}
    assert len(files._known) == known


def test_model_that_changes_on_disk_is_another_version(request_: Request, tmp_path: Path) -> None:
    path = tmp_path / "ranker.joblib"
    references = set()
    for slope in (2.0, 3.0):
        joblib.dump(LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([0.0, slope])), path)
        model = joblib.load(path)
        with request_:
            model.predict(np.array([[1.0]]))
        references |= request_[MODELS]
    assert len(references) == 2


def onnx_model(path: Path) -> None:
    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "g", value[:1], value[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def test_onnx_session_tags_each_run_with_the_files_digest(request_: Request, tmp_path: Path) -> None:
    path = tmp_path / "ranker.onnx"
    onnx_model(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with request_:
        session.run(None, {"x": np.array([1.0], dtype=np.float32)})
    assert request_[MODELS] == {by_content(path)}


def test_weights_in_a_hugging_face_cache_are_known_by_revision(request_: Request, tmp_path: Path) -> None:
    revision = "9d59409acf479dfa0df1aa568182e43e43df8bbe"
    path = tmp_path / f"hub/models--acme--fraud/snapshots/{revision}/model.safetensors"
    path.parent.mkdir(parents=True)
    safetensors.numpy.save_file({"w": np.zeros(2)}, path)
    with request_:
        safetensors.numpy.load_file(path)
    assert request_[MODELS] == {f"https://huggingface.co#acme/fraud@git:{revision}"}


@pytest.mark.parametrize(
    ("name", "library", "function"),
    [
        ("a.csv", pd, "read_csv"),
        ("a.parquet", pd, "read_parquet"),
        ("a.csv", pl, "read_csv"),
        ("a.parquet", pl, "read_parquet"),
        ("a.parquet", pl, "scan_parquet"),
        ("a.parquet", pq, "read_table"),
        ("a.csv", duckdb, "read_csv"),
        ("a.parquet", duckdb, "read_parquet"),
    ],
)
def test_table_from_a_file_is_read_by_digest(
    request_: Request, tmp_path: Path, name: str, library: Any, function: str
) -> None:
    path = tmp_path / name
    table = pl.DataFrame(FRAME)
    (table.write_csv if name.endswith("csv") else table.write_parquet)(path)
    with request_:
        getattr(library, function)(str(path))
    assert request_[INPUTS] == {by_content(path)}


def test_table_written_to_a_file_is_told_by_digest(request_: Request, tmp_path: Path) -> None:
    with request_:
        pd.DataFrame(FRAME).to_parquet(tmp_path / "a.parquet")
        pd.DataFrame(FRAME).to_csv(tmp_path / "b.csv")
        pl.DataFrame(FRAME).write_parquet(tmp_path / "c.parquet")
        pq.write_table(pa.table(FRAME), tmp_path / "d.parquet")
    assert request_[OUTPUTS] == {
        by_content(tmp_path / name) for name in ("a.parquet", "b.csv", "c.parquet", "d.parquet")
    }


def test_delta_table_is_read_and_written_by_version(request_: Request, tmp_path: Path) -> None:
    place = str(tmp_path / "features")
    with request_:
        deltalake.write_deltalake(place, pa.table(FRAME))
        deltalake.write_deltalake(deltalake.DeltaTable(place), pa.table(FRAME), mode="append")
    assert request_[OUTPUTS] == {f"file#{place}@delta:0", f"file#{place}@delta:1"}
    with request_:
        deltalake.DeltaTable(place, version=0).to_pyarrow_table()
    assert request_[INPUTS] == {f"file#{place}@delta:0"}


def test_delta_write_alone_is_no_read(request_: Request, tmp_path: Path) -> None:
    with request_:
        deltalake.write_deltalake(str(tmp_path / "features"), pa.table(FRAME))
    assert request_[INPUTS] == set()


def test_tables_of_sqlalchemy_statements_are_read_and_written(request_: Request, tmp_path: Path) -> None:
    metadata = sa.MetaData()
    orders = sa.Table("orders", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("user", sa.Integer))
    users = sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True))
    engine = sa.create_engine(f"sqlite:///{tmp_path}/shop.db")
    metadata.create_all(engine)
    base = f"file#{tmp_path}/shop.db"
    with request_, engine.begin() as connection:
        connection.execute(sa.insert(orders).values(id=1, user=7))
    assert (request_[OUTPUTS], request_[INPUTS]) == ({f"{base}/orders"}, set())
    with request_, engine.connect() as connection:
        connection.execute(sa.select(orders.c.id).join(users, users.c.id == orders.c.user)).all()
        connection.execute(sa.text("select 'secret'")).all()
    assert request_[INPUTS] == {f"{base}/orders", f"{base}/users"}
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "reference"),
    [
        ("postgresql+psycopg://user:secret@db/risk", "postgres://db:5432#risk.public.customers"),
        ("mysql+pymysql://db:3307/risk", "mysql://db:3307#risk.customers"),
        ("sqlite://", None),
    ],
)
def test_table_is_named_as_openlineage_names_it_without_credentials(url: str, reference: str | None) -> None:
    from whence.sdk.instrument.databases import table_reference

    assert table_reference(sa.make_url(url), None, "customers") == reference


MLFLOW = """
import os, warnings
warnings.simplefilter("ignore")
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
import whence
whence.configure()
import numpy as np, pandas
import mlflow.data, mlflow, mlflow.sklearn
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LinearRegression
mlflow.set_tracking_uri("file://" + os.getcwd() + "/mlruns")
tracer = trace.get_tracer("app")
HOW = {"serialization_format": "pickle", "pip_requirements": ["scikit-learn"]}
with tracer.start_as_current_span("train"), mlflow.start_run():
    model = LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))
    frame = pandas.DataFrame({"a": [0.0, 1.0]})
    frame.to_csv("clicks.csv")
    mlflow.log_input(mlflow.data.from_pandas(frame, source="clicks.csv", name="clicks"), context="training")
    mlflow.log_input(mlflow.data.from_pandas(frame, source="s3://lake/clicks/3.parquet", name="bought"))
    mlflow.log_input(mlflow.data.from_numpy(np.array([1.0]), name="made here"))
    mlflow.sklearn.log_model(model, name="m", registered_model_name="ranker", **HOW)
MlflowClient().set_registered_model_alias("ranker", "champion", 1)
loaded = [mlflow.sklearn.load_model("models:/ranker@champion"), mlflow.pyfunc.load_model("models:/ranker/1")]
loaded.append(mlflow.sklearn.load_model("models:/ranker/latest"))
for number, one in enumerate(loaded):
    with tracer.start_as_current_span(f"predict {number}"):
        one.predict(np.array([[3.0]]))
for span in exporter.get_finished_spans():
    for name, refs in span.attributes.items():
        if name.startswith("whence."):
            print(span.name, name, *[ref.rpartition("#")[2] for ref in refs])
"""


def test_mlflow_models_are_logged_loaded_and_served_by_registry_version(tmp_path: Path) -> None:
    """In a process of its own, since MLflow sets up much that it never takes down."""
    done = subprocess.run(
        [sys.executable, "-c", MLFLOW],
        cwd=tmp_path,
        env={**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true", "WHENCE_HEARTBEAT_SECONDS": "0"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = {line for line in done.stdout.splitlines() if "whence." in line}
    clicks = by_content(tmp_path / "clicks.csv").removeprefix("file#")
    assert told == {
        f"train whence.outputs {clicks} ranker@version:1",
        f"train whence.inputs {clicks} clicks/3.parquet datasets/made%20here@opaque:44246687",
        "predict 0 whence.models ranker@version:1",
        "predict 1 whence.models ranker@version:1",
        "predict 2 whence.models ranker@version:1",
    }


def test_large_file_is_known_by_a_sample_of_its_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "_WHOLE_BYTES", 4 << 10)
    monkeypatch.setattr(files, "_BLOCK_BYTES", 1 << 10)
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(10_000))
    first = files.file_reference(path)
    path.write_bytes(bytes(9_999) + b"1")
    second = files.file_reference(path)
    assert first is not None
    assert "@fingerprint:" in first
    assert first != second


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        ("s3://lake/features/a.parquet", "s3://lake#features/a.parquet"),
        ("s3a://key:secret@lake/a b.csv?versionId=1", "s3://lake#a%20b.csv"),
        ("https://example.com/data.csv", None),
        ("/no/such/file.csv", None),
        (b"buffer", None),
        (None, None),
    ],
)
def test_file_reference_of_other_sources(source: object, reference: str | None) -> None:
    assert files.file_reference(source) == reference


def test_disable_puts_everything_back(tmp_path: Path) -> None:
    instrument.disable()
    plain = (joblib.load, pickle.load, pd.read_csv, pl.DataFrame.write_csv, onnxruntime.InferenceSession.__init__)
    instrument.enable()
    assert joblib.load is not plain[0]
    instrument.enable()
    instrument.disable()
    again = (joblib.load, pickle.load, pd.read_csv, pl.DataFrame.write_csv, onnxruntime.InferenceSession.__init__)
    assert again == plain


def test_variable_names_the_instrumentors_that_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENCE_INSTRUMENT", "joblib, pandas")
    assert set(instrument.wanted()) == {"joblib", "pandas"}
    monkeypatch.setenv("WHENCE_INSTRUMENT", "none")
    assert instrument.wanted() == ()


def test_library_imported_later_is_instrumented_then(tmp_path: Path) -> None:
    """In a process of its own, where nothing is imported yet; enabling must import none of the libraries."""
    pl.DataFrame(FRAME).write_csv(tmp_path / "a.csv")
    code = """
import sys, whence
whence.configure()
heavy = {"pandas", "polars", "mlflow", "sklearn", "duckdb", "onnxruntime", "deltalake", "sqlalchemy", "pyarrow"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
import pandas, polars, duckdb, onnxruntime, deltalake, sqlalchemy, pyarrow.parquet, joblib, safetensors.numpy
pandas.read_csv("a.csv")
with sqlalchemy.create_engine("sqlite:///b.db").begin() as connection:
    sqlalchemy.Table("b", sqlalchemy.MetaData(), sqlalchemy.Column("id", sqlalchemy.Integer)).create(connection)
    connection.execute(sqlalchemy.select(sqlalchemy.table("b", sqlalchemy.column("id"))))
from whence.sdk.edges import used
from whence.sdk.guard import losses
print(*[edge.ref for edge in used()], losses())
"""
    variables = {"OTEL_TRACES_EXPORTER": "none", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=variables,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == f"{by_content(tmp_path / 'a.csv')} {{}}\n"


@pytest.mark.usefixtures("production")
def test_fault_of_an_instrumentor_changes_nothing_for_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(_path: Path) -> str:
        raise RuntimeError("ours")

    monkeypatch.setattr(files, "_by_content", broken)
    pl.DataFrame(FRAME).write_csv(tmp_path / "a.csv")
    before = sum(losses().values())
    assert pd.read_csv(tmp_path / "a.csv")["user"].tolist() == [1, 2]
    assert sum(losses().values()) > before


def test_error_of_the_library_passes_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pd.read_csv(tmp_path / "absent.csv")
    with pytest.raises(sqlite3.OperationalError), sqlite3.connect(tmp_path / "no.db") as plain:
        plain.execute("select * from absent")


def test_weights_loaded_with_pytorch_are_told_by_digest(tmp_path: Path) -> None:
    """PyTorch is too large to install for a test: a module of its name takes the same file in the same way."""
    (tmp_path / "torch.py").write_text("def load(f, map_location=None):\n    return {}\n")
    (tmp_path / "ranker.pt").write_bytes(b"weights")
    code = """
import whence
whence.configure()
import torch
torch.load("ranker.pt", map_location="cpu")
with open("ranker.pt", "rb") as file:
    torch.load(file)
from whence.sdk.edges import used
print(*[(edge.ref, edge.count) for edge in used()])
"""
    variables = {"OTEL_TRACES_EXPORTER": "none", "PYTHONPATH": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=variables,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == f"{(by_content(tmp_path / 'ranker.pt'), 2)}\n"
