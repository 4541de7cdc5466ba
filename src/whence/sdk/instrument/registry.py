"""MLflow: registered models, with aliases and ``latest`` resolved when they are loaded, and models that are logged."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import named
from whence.sdk.instrument.loaded import remember
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import writes

_REGISTERED = re.compile(r"models:/([^/@]+)(?:/([^/@]+)|@(.+))")
_LOGGED = re.compile(r"models:/(m-[0-9a-f]{32})")


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at ``load_model`` and ``log_model`` of one flavour."""

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


def _registry() -> str:
    """Namespace of the registry: its address without credentials."""
    from mlflow import get_registry_uri

    scheme, separator, rest = get_registry_uri().rstrip("/").partition("://")
    authority, slash, path = rest.partition("/")
    return f"mlflow+{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
