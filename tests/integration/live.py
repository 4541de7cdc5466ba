"""The API on a real port, served from a thread, for clients that block."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from whence.api import create_app
from whence.model.delta import GraphDelta
from whence.settings import Settings
from whence.store.embedded import EmbeddedStore

_START_SECONDS = 30


@contextmanager
def live_api(directory: Path, known: GraphDelta, now_ns: int, **settings: Any) -> Iterator[str]:
    """Address of an API that knows some facts and whose clock stands still."""
    store = EmbeddedStore(directory / "whence.db")
    chosen = Settings(data_dir=directory, **settings)
    app = create_app(store=store, settings=chosen, ingest=None, clock=lambda: now_ns)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off", ws="none"))

    async def serve() -> None:
        await store.open()
        await store.upsert(known)
        await server.serve()
        await store.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)
