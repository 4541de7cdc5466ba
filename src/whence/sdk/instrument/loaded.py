"""Which objects in memory are models that were loaded, so that each prediction names the version that made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import ref

from whence.model.names import MODELS
from whence.sdk.instrument.patches import Patches
from whence.sdk.tags import is_inside_use_of
from whence.sdk.uses import uses_model

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples", "run")
_references: dict[int, tuple[ref[Any], str]] = {}
"""By identity, because not every model can be hashed; gone with the model."""


def remember(model: object, reference: str, patches: Patches, methods: tuple[str, ...] = METHODS) -> None:
    """Let the object's predictions name its version from now on; who remembers last knows best."""
    key = id(model)
    _references[key] = (ref(model, lambda _: _references.pop(key, None)), reference)
    for kind in type(model).__mro__[:-1]:
        for method in methods:
            patches.look_at(kind, method, _predicted)


def models_in(loaded: object) -> Iterator[Any]:
    """The object if it predicts, or what it holds that does: files often wrap a model in a dict, list or tuple."""
    held = loaded.values() if isinstance(loaded, Mapping) else loaded if isinstance(loaded, list | tuple) else (loaded,)
    for one in held:
        if callable(getattr(one, "predict", None)) and not isinstance(one, type):
            yield one


def _predicted(_result: object, model: object, *_args: object, **_kwargs: object) -> None:
    known = _references.get(id(model))
    # Where the application names the model itself, the file would be a second name for the same thing.
    if known is not None and known[0]() is model and not is_inside_use_of(MODELS):
        uses_model(known[1])
