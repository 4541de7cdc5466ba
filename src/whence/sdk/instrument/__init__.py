"""Optional instrumentors, one file each: what the tools that load models and data tell by themselves.

``enable`` switches on all whose library is installed, at the moment the application imports it: nothing is imported for
their sake. Each wraps a few functions once, looks at what they return, and can be undone.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib import import_module
from typing import NamedTuple

from whence.sdk.guard import guarded, lose
from whence.sdk.instrument.imports import when_imported
from whence.sdk.instrument.patches import Patches


class _Instrumentor(NamedTuple):
    module: str
    """Ours, with a function ``instrument(patches, library)``."""
    libraries: tuple[str, ...]
    """Modules on whose import it acts, on each by itself."""


_FLAVORS = ("pyfunc", "sklearn", "xgboost", "lightgbm", "pytorch", "onnx", "transformers")
_INSTRUMENTORS = {
    "deltalake": _Instrumentor("delta", ("deltalake",)),
    "duckdb": _Instrumentor("tables", ("duckdb",)),
    "feast": _Instrumentor("features", ("feast",)),
    "gcsfs": _Instrumentor("objects", ("gcsfs.core",)),
    "huggingface_hub": _Instrumentor("hub", ("huggingface_hub.file_download", "huggingface_hub._snapshot_download")),
    "joblib": _Instrumentor("pickled", ("joblib",)),
    "lakefs": _Instrumentor("lakefs", ("lakefs",)),
    "mlflow": _Instrumentor("registry", ("mlflow.tracking.client", *(f"mlflow.{flavor}" for flavor in _FLAVORS))),
    "onnxruntime": _Instrumentor("onnx", ("onnxruntime",)),
    "pandas": _Instrumentor("tables", ("pandas",)),
    "pickle": _Instrumentor("pickled", ("pickle",)),
    "polars": _Instrumentor("tables", ("polars",)),
    "psycopg": _Instrumentor("postgres", ("psycopg",)),
    "pyarrow": _Instrumentor("tables", ("pyarrow.parquet",)),
    "pyiceberg": _Instrumentor("iceberg", ("pyiceberg.table",)),
    "s3fs": _Instrumentor("objects", ("s3fs.core",)),
    "safetensors": _Instrumentor("weights", ("safetensors.numpy", "safetensors.torch", "safetensors.flax")),
    "sqlalchemy": _Instrumentor("databases", ("sqlalchemy",)),
    "torch": _Instrumentor("weights", ("torch",)),
}
NAMES = tuple(_INSTRUMENTORS)
_enabled: dict[str, Patches] = {}


@guarded
def enable() -> None:
    """Switch on what ``WHENCE_INSTRUMENT`` names: all unless it is set, none if it says ``none``."""
    for name in wanted():
        if name not in _enabled:
            patches = _enabled[name] = Patches()
            for library in _INSTRUMENTORS[name].libraries:
                when_imported(library, partial(_instrument, name, patches, library))


def disable() -> None:
    """Put everything back as it was."""
    while _enabled:
        _enabled.popitem()[1].undo()


def is_enabled(name: str) -> bool:
    """Whether an instrumentor is on, so that another one need not tell the same thing."""
    return name in _enabled


def wanted() -> tuple[str, ...]:
    """The instrumentors that the environment asks for."""
    stated = os.environ.get("WHENCE_INSTRUMENT", "all").split(",")
    names = {name.strip() for name in stated}
    for unknown in names - {"all", "none", "", *NAMES}:
        lose("an instrumentor that does not exist", unknown)
    return NAMES if "all" in names else tuple(name for name in NAMES if name in names)


@guarded
def _instrument(name: str, patches: Patches, library: str) -> None:
    if _enabled.get(name) is patches:
        module = import_module(f"whence.sdk.instrument.{_INSTRUMENTORS[name].module}")
        module.instrument(patches, sys.modules[library])
