"""MLflow: registered models, aliases and ``latest`` resolved as they are loaded; models and training data as logged."""

from __future__ import annotations

import json
import re
from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import HUB_DATASETS, file_reference, named, table_reference
from whence.sdk.instrument.loaded import remember
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import reads, writes

CLIENT = "mlflow.tracking.client"
_REGISTERED = re.compile(r"models:/([^/@]+)(?:/([^/@]+)|@(.+))")
_COMMIT = re.compile("[0-9a-f]{40}")
_LOGGED = re.compile(r"models:/(m-[0-9a-f]{32})")


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at ``load_model`` and ``log_model`` of one flavour, or at the client through which runs log their inputs."""
    if library.__name__ == CLIENT:
        patches.look_at(library.MlflowClient, "log_inputs", _logged_inputs)
        return

    def loaded(model: Any, *args: Any, **kwargs: Any) -> None:
        reference = model_reference(args[0] if args else kwargs["model_uri"])
        raw = getattr(model, "get_raw_model", lambda: None)()  # pyfunc wraps what another flavour loaded
        for one in (model, raw) if reference else ():
            if one is not None:
                remember(one, reference or "", patches)

    patches.look_at(library, "load_model", loaded)
    patches.look_at(library, "log_model", _logged)


def model_reference(uri: str) -> str | None:
    """Reference of a registered or logged model; None for models from other places."""
    logged = _LOGGED.fullmatch(uri)
    if logged is not None:
        return named(_registry(), f"logged-models/{logged[1]}")
    match = _REGISTERED.fullmatch(uri)
    if match is None:
        return None
    name, version, alias = match.groups()
    return named(_registry(), name, f"version:{_resolved(name, version, alias)}")


def _resolved(name: str, version: str | None, alias: str | None) -> str:
    if version is not None and version.isdecimal():
        return version
    from mlflow.tracking import MlflowClient  # here, since it may still be on its way when we are told

    client = MlflowClient()
    if alias is not None:
        return str(client.get_model_version_by_alias(name, alias).version)
    found = client.search_model_versions(f"name='{name}'")
    of_stage = [one for one in found if version == "latest" or one.current_stage == version]
    return str(max(int(one.version) for one in of_stage))


def _logged(info: Any, *_args: Any, **kwargs: Any) -> None:
    version = getattr(info, "registered_model_version", None)
    name = kwargs.get("registered_model_name")
    if version is not None and name:
        writes(named(_registry(), name, f"version:{version}"))
    elif getattr(info, "model_id", None):
        writes(named(_registry(), f"logged-models/{info.model_id}"))


def _logged_inputs(_result: Any, _client: Any, run_id: str, datasets: Any = None, *_rest: Any, **_more: Any) -> None:
    """Look at ``MlflowClient.log_inputs``, whose arguments have these names."""
    for logged in datasets or ():
        reads(dataset_reference(logged.dataset))


def dataset_reference(dataset: Any) -> str:
    """Reference of a dataset as MLflow records it: name, digest, and its source as JSON."""
    try:
        source = json.loads(dataset.source)
    except ValueError:
        source = None
    found = _of_source(dataset.source_type, source) if isinstance(source, dict) else None
    return found or named(_registry(), f"datasets/{dataset.name}", f"opaque:{dataset.digest}")


def _of_source(kind: str, source: dict[str, Any]) -> str | None:
    path, version = source.get("path"), source.get("delta_table_version")
    if kind == "delta_table" and path and version is not None:
        return table_reference(path, f"delta:{version}")
    if kind == "hugging_face" and path:
        revision = str(source.get("revision"))
        return named(HUB_DATASETS, path, f"git:{revision}" if _COMMIT.fullmatch(revision) else "")
    return file_reference(source.get("uri"))


def _registry() -> str:
    """Namespace of the registry: its address without credentials."""
    from mlflow import get_registry_uri

    scheme, separator, rest = get_registry_uri().rstrip("/").partition("://")
    authority, slash, path = rest.partition("/")
    return f"mlflow+{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
