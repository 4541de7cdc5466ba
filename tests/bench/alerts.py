"""From an alert to its posted answer: ``python -m tests.bench.alerts --relations 100000``.

Fills an embedded store as ``tests.bench.investigate`` does, serves the real API on a port, posts alerts of different
incidents one after the other over HTTP, and takes the time from sending an alert until its answer, a CloudEvent, has
come in at the address of ``WHENCE_NOTIFY``. The bar is two seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import uvicorn

from tests.bench.investigate import END_NS, ENTRIES, SEED, prepare, quantile
from tests.integration.listener import Listener, listening
from whence.api import create_app
from whence.model.times import NS_PER_SECOND, format_time
from whence.settings import Settings
from whence.store.embedded import EmbeddedStore
from whence.testing.layered_graphs import node, topology

BAR_SECONDS = 2.0
GIVE_UP_SECONDS = 60.0


async def measure(folder: Path, relations: int, rounds: int, listener: Listener) -> list[float]:
    """Seconds from each alert to its answer."""
    store = EmbeddedStore(folder / "bench.db")
    await store.open()
    for delta in topology(relations, SEED):
        await store.upsert(delta)
    entries = [await prepare(store, node(0, 0, index)) for index in range(ENTRIES)]
    app = create_app(
        store=store, settings=Settings(notify=f"webhook:{listener.url}/answers"), ingest=None, clock=lambda: END_NS
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells it by this flag alone
        await asyncio.sleep(0.01)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(base_url=address, timeout=GIVE_UP_SECONDS) as client:
        taken = [await one_alert(client, listener, entries[number % ENTRIES], number) for number in range(rounds)]
    server.should_exit = True
    await serving
    await store.close()
    return taken


async def one_alert(client: httpx.AsyncClient, listener: Listener, entity: str, number: int) -> float:
    """Post an alert and wait until its answer has come in."""
    alert = {
        "id": f"alert-{number}",
        "status": "firing",
        "title": f"Errors, take {number}",
        "entity": entity,
        "signal": "errors",
        "started_at": format_time(END_NS - 120 * NS_PER_SECOND),
    }
    heard, began = len(listener.heard), time.perf_counter()
    (await client.post("/api/v1/webhooks/alert", json=alert)).raise_for_status()
    while len(listener.heard) == heard:
        if time.perf_counter() - began > GIVE_UP_SECONDS:
            raise SystemExit(f"no answer to alert {number} in {GIVE_UP_SECONDS:.0f} s")
        await asyncio.sleep(0.001)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print; the exit code says whether the slowest kept within the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--relations", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, listening() as listener:
        taken = asyncio.run(measure(Path(folder), options.relations, options.rounds, listener))
    print(f"{options.relations:,} relations; {len(taken)} alerts; load average {os.getloadavg()[0]:.1f}")
    shown = {"p50": statistics.median(taken), "p95": quantile(taken, 0.95), "slowest": max(taken)}
    print("  alert to posted answer  " + "   ".join(f"{name} {1000 * one:,.0f} ms" for name, one in shown.items()))
    print(f"  the bar is {BAR_SECONDS:.0f} s: {'kept' if max(taken) <= BAR_SECONDS else 'missed'}")
    raise SystemExit(max(taken) > BAR_SECONDS)


if __name__ == "__main__":
    main()
