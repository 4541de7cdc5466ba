"""Calls a function right after a module is imported, without importing it."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from whence.sdk.guard import guarded

_waiting: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)


def when_imported(module: str, then: Callable[[], None]) -> None:
    """Call ``then`` once the module is there: now, or as the last step of its import."""
    if module in sys.modules:
        then()
        return
    _waiting[module].append(then)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds what the others find, and only for the modules that somebody waits for."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See ``MetaPathFinder``."""
        if fullname not in _waiting:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find and finder is not self else None
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    _call_after_import(spec.loader, fullname)
                return spec
        return None


def _call_after_import(loader: Any, name: str) -> None:
    """Let this one loader's ``exec_module`` end with the calls. Loaders are made anew for each module."""
    execute = loader.exec_module

    def execute_and_call(module: ModuleType) -> None:
        execute(module)
        _call_waiting(name)

    loader.exec_module = execute_and_call


@guarded
def _call_waiting(name: str) -> None:
    for then in _waiting.pop(name, ()):
        then()
