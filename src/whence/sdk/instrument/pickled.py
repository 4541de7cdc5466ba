"""joblib and pickle files that hold a model (anything that predicts), by content digest."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import file_reference
from whence.sdk.instrument.loaded import models_in, remember
from whence.sdk.instrument.patches import Patches


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at what ``load`` loads from files."""

    def loaded(result: Any, source: Any, *_args: Any, **_kwargs: Any) -> None:
        models = list(models_in(result))
        path = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
        reference = file_reference(path) if models else None
        for model in models if reference else ():
            remember(model, reference or "", patches)

    patches.look_at(library, "load", loaded)
