"""Say in your code which models and data it uses; whence finds out what changed upstream when it hurts.

These few names are the whole SDK. They load on first use, so ``import whence`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whence.sdk.changes import change as change
    from whence.sdk.outcomes import outcome as outcome
    from whence.sdk.permission import UseForbidden as UseForbidden
    from whence.sdk.permission import may_use as may_use
    from whence.sdk.runs import run as run
    from whence.sdk.setup import configure as configure
    from whence.sdk.uses import reads as reads
    from whence.sdk.uses import uses_model as uses_model
    from whence.sdk.uses import writes as writes

__all__ = ["UseForbidden", "change", "configure", "may_use", "outcome", "reads", "run", "uses_model", "writes"]

_HOMES = {
    "UseForbidden": "permission",
    "change": "changes",
    "configure": "setup",
    "may_use": "permission",
    "outcome": "outcomes",
    "reads": "uses",
    "run": "runs",
    "uses_model": "uses",
    "writes": "uses",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'whence' has no attribute {name!r}")
    value = getattr(import_module(f"whence.sdk.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
