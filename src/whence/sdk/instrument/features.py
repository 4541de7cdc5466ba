"""Feature views of Feast: those that are asked for, online or for training, and those that are filled."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import named
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import reads, writes

_READERS = ("get_online_features", "get_online_features_async", "get_historical_features")
_WRITERS = ("materialize", "materialize_incremental")


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at what a feature store is asked."""
    for name in _READERS:
        patches.look_at(library.FeatureStore, name, _asked)
    for name in _WRITERS:
        patches.look_at(library.FeatureStore, name, _filled)


def _asked(_result: Any, store: Any, *args: Any, **kwargs: Any) -> None:
    for view in dict.fromkeys(_views((*args, *kwargs.values()))):
        reads(_reference(store, view))


def _filled(_result: Any, store: Any, *args: Any, **kwargs: Any) -> None:
    stated = kwargs.get("feature_views") or next((value for value in args if isinstance(value, list)), None)
    for view in stated or [view.name for view in store.list_feature_views()]:
        writes(_reference(store, view))


def _views(values: tuple[Any, ...]) -> Iterator[str]:
    """Views that features are taken from: of ``view:feature``, or what a feature service holds."""
    for value in values:
        for one in value if isinstance(value, list) else ():
            if isinstance(one, str) and ":" in one:
                yield one.partition(":")[0]
        for projection in getattr(value, "feature_view_projections", ()):
            yield projection.name


def _reference(store: Any, view: str) -> str:
    name, _, version = view.partition("@")
    return named(f"feast://{store.project}", name, f"version:{version}" if version else "")
