"""Weights from safetensors files: by revision where they lie in a Hugging Face cache, else by content digest."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import file_reference
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import uses_model


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at ``load_file`` of one framework."""
    patches.look_at(library, "load_file", _loaded)


def _loaded(_result: Any, filename: Any, *_args: Any, **_kwargs: Any) -> None:
    reference = file_reference(filename)
    if reference:
        uses_model(reference)
