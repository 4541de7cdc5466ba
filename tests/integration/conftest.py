"""Fixtures of tests that talk to a real neighbour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.api import Api, running_api
from tests.integration.shop import shop


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """An API that knows nothing yet."""
    async with running_api(tmp_path) as empty:
        yield empty


@pytest.fixture
async def shop_api(api: Api) -> Api:
    """An API that knows the shop."""
    await api.store.upsert(shop())
    return api
