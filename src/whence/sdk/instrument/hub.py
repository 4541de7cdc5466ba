"""Models and datasets from the Hugging Face hub, fetched now or found in the local cache, by revision."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import HUB_DATASETS, hub_reference
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import reads, uses_model


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at what the functions that fetch a file or a whole repository give back."""
    for name in ("hf_hub_download", "snapshot_download"):
        patches.look_at(library, name, _fetched)


def _fetched(path: Any, *_args: Any, **_kwargs: Any) -> None:
    reference = hub_reference(Path(path))
    if reference:
        (reads if reference.startswith(f"{HUB_DATASETS}#") else uses_model)(reference)
