"""``kill -9`` at random moments of ingest: ``uv run python -m tests.bench.kills --minutes 15``.

Senders post requests, each for a service of its own, to a real server that is killed and started again. What was not
acknowledged they send again, as exporters do, also over several kills. After every ``--kills-per-store`` kills the
store is read: each acknowledged request must be in it whole, and no request more than once. Ends with an error if not.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx

from tests.neo4j_server import Neo4jAddress, empty, running_neo4j
from tests.otlp_requests import PROTOBUF, some_spans
from tests.whence_server import WhenceServer
from whence.model.refs import service_ref
from whence.store.bolt import BoltStore
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import BucketQuery, Store

SPANS_PER_REQUEST = 20
SENDERS = 2
LATEST_KILL_SECONDS = 1.5
PAUSE_SECONDS = 0.01
"""Between two requests of a sender: what is measured is loss, not speed."""
SETTLE_SECONDS = 3.0
READ_AT_ONCE = 500
FAST = {"WHENCE_TRACE_IDLE_SECONDS": "0.3", "WHENCE_FLUSH_SECONDS": "0.2"}


@dataclass
class Sender:
    """Sends requests one after the other; keeps the one that was not acknowledged for the next time."""

    services: Iterator[str]
    waiting: tuple[str, bytes] | None = None
    acknowledged: list[str] = field(default_factory=list)

    def send_until_gone(self, url: str) -> None:
        """Send until the server goes away."""
        with httpx.Client(timeout=10) as client:
            while self.send_one(client, url):
                time.sleep(PAUSE_SECONDS)

    def send_one(self, client: httpx.Client, url: str) -> bool:
        """Send what waits, else something new; False when nobody answered."""
        if self.waiting is None:
            service = next(self.services)
            self.waiting = service, some_spans(service, SPANS_PER_REQUEST)
        service, body = self.waiting
        try:
            answer = client.post(f"{url}/v1/traces", content=body, headers=PROTOBUF)
        except httpx.TransportError:
            return False
        if answer.status_code == 200:
            self.acknowledged.append(service)
            self.waiting = None
        return True

    def send_rest(self, url: str) -> None:
        """Send what waits until it is acknowledged."""
        with httpx.Client(timeout=10) as client:
            while self.waiting is not None:
                self.send_one(client, url)


@dataclass
class Totals:
    """What was found so far."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    twice: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.acknowledged:,} spans acknowledged, "
            f"{self.lost} of them lost, {self.twice} counted twice"
        )


def one_store(server: WhenceServer, open_store: Callable[[], Store], kills: int, dice: random.Random) -> Totals:
    """Kill a server so many times on one store, and count what the store holds then."""
    numbers = count()
    senders = [Sender(f"s{number}" for number in numbers) for _ in range(SENDERS)]
    for _ in range(kills):
        server.start()
        threads = [threading.Thread(target=one.send_until_gone, args=(server.otlp_http,)) for one in senders]
        for thread in threads:
            thread.start()
        time.sleep(dice.uniform(0, LATEST_KILL_SECONDS))
        server.kill()
        for thread in threads:
            thread.join()
    server.start()
    for sender in senders:
        sender.send_rest(server.otlp_http)
    time.sleep(SETTLE_SECONDS)
    server.stop()
    services = [service for sender in senders for service in sender.acknowledged]
    stored = asyncio.run(stored_spans(open_store(), services)).values()
    lost = sum(max(0, SPANS_PER_REQUEST - spans) for spans in stored)
    twice = sum(max(0, spans - SPANS_PER_REQUEST) for spans in stored)
    return Totals(kills, SPANS_PER_REQUEST * len(services), lost, twice)


async def stored_spans(store: Store, services: list[str]) -> dict[str, int]:
    """Spans that a store counted for each service."""
    counts = dict.fromkeys((str(service_ref("", service)) for service in services), 0)
    keys = tuple(counts)
    await store.open()
    for at in range(0, len(keys), READ_AT_ONCE):
        for row in await store.operation_rows(BucketQuery(keys[at : at + READ_AT_ONCE], 0, 2**33)):
            counts[row.node] += round(row.calls)
    await store.close()
    return counts


def life(folder: Path, neo4j: Neo4jAddress | None, kills: int, dice: random.Random) -> Totals:
    """One server's life on an empty store."""
    if neo4j is None:
        server = WhenceServer(folder / "data", FAST)
        return one_store(server, lambda: EmbeddedStore(server.data_dir / "whence.db"), kills, dice)
    empty(neo4j)
    user, password = neo4j.auth or ("neo4j", "")
    settings = {"WHENCE_STORE": neo4j.uri, "WHENCE_STORE_USER": user, "WHENCE_STORE_PASSWORD": password}
    server = WhenceServer(folder / "data", {**FAST, **settings})
    return one_store(server, lambda: BoltStore(neo4j.uri, user=user, password=password), kills, dice)


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long, at the next store")
    parser.add_argument("--kills-per-store", type=int, default=20)
    parser.add_argument("--store", choices=("embedded", "neo4j"), default="embedded")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    dice, totals, end = random.Random(options.seed), Totals(), time.monotonic() + 60 * options.minutes
    with ExitStack() as stack:
        neo4j = stack.enter_context(running_neo4j()) if options.store == "neo4j" else None
        while totals.kills < options.kills and time.monotonic() < end:
            kills = min(options.kills_per_store, options.kills - totals.kills)
            with tempfile.TemporaryDirectory() as folder:
                found = life(Path(folder), neo4j, kills, dice)
            for name in vars(totals):
                setattr(totals, name, getattr(totals, name) + getattr(found, name))
            print(f"{options.store}, {totals}", flush=True)
    if totals.lost or totals.twice:
        sys.exit(1)


if __name__ == "__main__":
    main()
