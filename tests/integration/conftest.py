"""Fixtures of tests that talk to a real neighbour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.api import Api, api_over, running_api
from tests.integration.planted import NOW_NS, planted
from tests.integration.shop import shop
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import Store


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


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every store in turn, open and empty."""
    is_embedded = request.param == "embedded"
    store: Store
    store = EmbeddedStore(tmp_path / "any.db") if is_embedded else request.getfixturevalue("make_bolt_store")()
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def planted_api(any_store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    """An API over every store in turn that knows the shop with things planted in it."""
    await any_store.upsert(planted())
    async with api_over(any_store, tmp_path) as api:
        api.now_ns = NOW_NS
        yield api
