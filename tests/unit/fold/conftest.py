"""Every test of the fold runs with each folder that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest

from tests.unit.fold.folding import Folders
from whence.collector.engine import Folder
from whence.fold import SpanFolder


def folders() -> dict[str, Callable[..., Folder]]:
    """All folders by the name of their engine."""
    if find_spec("whence._native") is None:
        return {"portable": SpanFolder}
    from whence.fold.native import NativeFolder

    return {"portable": SpanFolder, "native": NativeFolder}


@pytest.fixture(scope="module", autouse=True, params=folders().items(), ids=lambda item: item[0])
def folder(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fold with one of them."""
    Folders.used, before = request.param[1], Folders.used
    yield
    Folders.used = before
