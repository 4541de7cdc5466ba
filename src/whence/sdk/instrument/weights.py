"""Weights from PyTorch and safetensors files: by revision in a Hugging Face cache, else by content digest."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import file_reference
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import uses_model


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at what one framework loads from files."""
    for name in ("load", "load_file"):
        patches.look_at(library, name, _loaded)


def _loaded(_result: Any, source: Any, *_args: Any, **_kwargs: Any) -> None:
    path = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
    reference = file_reference(path)
    if reference:
        uses_model(reference)
