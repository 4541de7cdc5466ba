"""A whole investigation on a large graph: ``python -m tests.bench.investigate --relations 100000 [--store neo4j]``.

Fills a store with a layered graph, gives some entries of its first domain the counts that a folder would have written
in the last minutes, and asks of each of them in turn what changed. Prints p50 and p95 of reading, of ranking (with the
look-up of owners) and of both, beside the size of the closure and of what was read, and how busy the machine was: its
load average, and the CPU time of this process, which other work on the machine hardly changes. Garbage is collected as
the server does it.

Without ``--store`` the embedded store is measured; ``--store neo4j`` takes the Neo4j of the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path

from tests.neo4j_server import empty, running_neo4j
from whence.investigate import answer_to, read_case
from whence.main import look_for_garbage_rarely
from whence.model.change import Change
from whence.model.delta import (
    ALL_REQUESTS,
    Entity,
    ExposureCounts,
    ExposureKey,
    GraphDelta,
    OperationCounts,
    OperationKey,
    Relation,
    RelationKey,
)
from whence.model.incident import Incident, Symptom
from whence.model.kinds import ChangeKind, EntityKind, RelationType
from whence.model.sketch import encode
from whence.model.times import NS_PER_SECOND
from whence.rca.case import Case
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import ClosureQuery, Store
from whence.testing.layered_graphs import BUCKET_SECONDS, END_S, batches, folded, node, topology

SEED = 7
END_NS = END_S * NS_PER_SECOND
ENTRIES = 8
MINUTES = 15
TOUCHED = 60
"""Versions that requests into an entry touch."""
CHANGES = 20
"""Changes of them in the last four hours."""


async def measure(store: Store, relations: int, rounds: int) -> None:
    """Fill the store and print what investigations take."""
    for delta in topology(relations, SEED):
        await store.upsert(delta)
    for delta in batches(folded(0, SEED, MINUTES * 60 // BUCKET_SECONDS), 2_000):
        await store.upsert(delta)
    entries = [await prepare(store, node(0, 0, index)) for index in range(ENTRIES)]
    reading, ranking, computing, cases = [], [], [], []
    for number in range(rounds + ENTRIES):
        began, began_cpu = time.perf_counter(), time.process_time()
        incident = Incident(Symptom(entries[number % ENTRIES]), detected_ns=END_NS - 120 * NS_PER_SECOND)
        case = await read_case(store, incident, now_ns=END_NS, bucket_s=BUCKET_SECONDS)
        read = time.perf_counter()
        await answer_to(store, case)
        if number >= ENTRIES:  # the first round warms up
            reading.append(read - began)
            ranking.append(time.perf_counter() - read)
            computing.append(time.process_time() - began_cpu)
            cases.append(case)
    report(relations, {"read": reading, "rank": ranking, "CPU of both": computing}, cases)


async def prepare(store: Store, version: str) -> str:
    """Counts of requests into an entry, and of all nodes below it; returns the entry's entity key."""
    base = version.partition("@")[0]
    key = RelationKey(base, RelationType.HAS_VERSION, version)
    known = Relation(key, 1, END_NS, END_NS, 1)
    await store.upsert(GraphDelta({base: Entity(base, EntityKind.SERVICE, base, 1, END_NS)}, {key: known}))
    closure = await store.upstream(ClosureQuery((version,), END_NS - 3600 * NS_PER_SECOND, END_NS))
    dice = random.Random(version)
    below = sorted(closure.entities)
    touched = [version, *dice.sample(below, min(TOUCHED, len(below)))]
    await store.upsert(GraphDelta(changes={one.id: one for one in recent_changes(dice, base, touched)}))
    for start_s in range(END_S - MINUTES * 60, END_S, BUCKET_SECONDS):
        await store.upsert(
            GraphDelta(
                operations={
                    OperationKey(one, "GET /", "", start_s, "bench-1"): operation_counts(dice) for one in below
                },
                exposures={
                    ExposureKey(base, "GET /", one, "", start_s, "bench-1"): exposure_counts(dice, start_s)
                    for one in (ALL_REQUESTS, *touched)
                },
            )
        )
    return base


def recent_changes(dice: random.Random, entry: str, touched: Sequence[str]) -> Iterable[Change]:
    """Deployments of the last hours below an entry."""
    for number, key in enumerate(dice.sample(touched, CHANGES)):
        when = END_NS - dice.randrange(120, 4 * 3600) * NS_PER_SECOND
        subject, _, version = key.partition("@version:")
        yield Change(f"{entry}-{number}", ChangeKind.DEPLOYMENT, subject, when, when, when, to_version=version)


def operation_counts(dice: random.Random) -> OperationCounts:
    """What a node did by itself."""
    calls = dice.randrange(1, 200)
    return OperationCounts(calls, calls, dice.randrange(2), 0, 0, 0, encode({dice.randrange(30, 60): calls}))


def exposure_counts(dice: random.Random, start_s: int) -> ExposureCounts:
    """Requests, of which more fail in the last four minutes."""
    requests = dice.randrange(50, 150)
    errors = requests // 3 if start_s > END_S - 240 else 0
    return ExposureCounts(requests, requests, requests, errors, 0, encode({dice.randrange(50, 70): requests}))


def report(relations: int, seconds: Mapping[str, Sequence[float]], cases: Sequence[Case]) -> None:
    """Print percentiles."""
    both = [read + ranked for read, ranked in zip(seconds["read"], seconds["rank"], strict=True)]
    print(f"{relations:,} relations; {len(cases)} investigations by the clock; load average {os.getloadavg()[0]:.1f}")
    for name, taken in {"both": both, **seconds}.items():
        millis = [1000 * one for one in taken]
        print(f"  {name:<22} p50 {statistics.median(millis):8.1f} ms   p95 {quantile(millis, 0.95):8.1f} ms")
    sizes = {
        "nodes in the closure": [len(case.subgraph.entities) for case in cases],
        "relations in it": [len(case.subgraph.relations) for case in cases],
        "hops to its end": [max(case.subgraph.depth.values()) for case in cases],
        "changes": [len(case.changes) for case in cases],
        "rows of counts": [len(case.exposures) + len(case.operations) + len(case.edges) for case in cases],
    }
    for name, values in sizes.items():
        print(f"  {name:<22} p50 {statistics.median(values):8,.0f}      p95 {quantile(values, 0.95):8,.0f}")


def quantile(values: Iterable[float], fraction: float) -> float:
    """The value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(fraction * (len(ordered) - 1)))]


@contextlib.asynccontextmanager
async def opened(address: str) -> AsyncIterator[Store]:
    """The store to measure, empty."""
    with contextlib.ExitStack() as stack:
        if not address:
            store: Store = EmbeddedStore(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "bench.db")
        else:
            from whence.store.bolt import BoltStore

            server = stack.enter_context(running_neo4j())
            empty(server)
            user, password = server.auth or ("", "")
            store = BoltStore(server.uri, user=user, password=password)
        await store.open()
        try:
            yield store
        finally:
            await store.close()


async def run(options: argparse.Namespace) -> None:
    """Measure one store."""
    look_for_garbage_rarely()
    async with opened(options.store) as store:
        await measure(store, options.relations, options.rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--relations", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--store", default="", help="neo4j: a real one as the tests find it; embedded when absent")
    asyncio.run(run(parser.parse_args()))
