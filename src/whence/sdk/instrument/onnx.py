"""ONNX Runtime sessions made from a file, by content digest."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import file_reference
from whence.sdk.instrument.loaded import remember
from whence.sdk.instrument.patches import Patches


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at sessions as they are made; each run names the file's version."""

    def made(_result: None, session: Any, path_or_bytes: Any, *_args: Any, **_kwargs: Any) -> None:
        reference = file_reference(path_or_bytes)
        if reference:
            remember(session, reference, patches, ("run",))

    patches.look_at(library.InferenceSession, "__init__", made)
