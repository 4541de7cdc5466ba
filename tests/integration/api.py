"""The API in this process over a real embedded store, with a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.integration.shop import END
from whence.api import create_app
from whence.api.context import Context
from whence.metrics import IngestStatus
from whence.settings import Settings
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import Store
from whence.testing.graphs import at


@dataclass
class Api:
    """A client of the API, and what stands behind it."""

    client: httpx.AsyncClient
    store: Store
    context: Context
    now_ns: int = field(default=at(END))

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a successful GET."""
        response = await self.client.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any) -> Any:
        """The body of a successful POST."""
        response = await self.client.post(path, json=body)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def problem(self, method: str, path: str, status: int, **options: Any) -> dict[str, Any]:
        """The problem details of a request that fails as it should."""
        response = await self.client.request(method, path, **options)
        assert response.status_code == status, response.text
        return problem_of(response)


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """The body of an error, checked to have the one shape."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body.keys() >= {"type", "title", "status", "detail", "instance"}
    assert body["status"] == response.status_code
    return body


@asynccontextmanager
async def running_api(directory: Path, *, ingest: IngestStatus | None = None, **settings: Any) -> AsyncIterator[Api]:
    """An API over an empty store in ``directory``."""
    store = EmbeddedStore(directory / "whence.db")
    await store.open()
    try:
        async with api_over(store, directory, ingest=ingest, **settings) as api:
            yield api
    finally:
        await store.close()


@asynccontextmanager
async def api_over(
    store: Store, directory: Path, *, ingest: IngestStatus | None = None, **settings: Any
) -> AsyncIterator[Api]:
    """An API over a store that is open."""
    app = create_app(
        store=store, settings=Settings(data_dir=directory, **settings), ingest=ingest, clock=lambda: api.now_ns
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://whence") as client:
        api = Api(client, store, app.state.context)
        yield api
