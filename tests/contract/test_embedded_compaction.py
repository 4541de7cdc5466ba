"""Compaction of the embedded store: what it folds, what it leaves, and what comes late or again."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.base import buckets, changes, closure, exposures
from whence.collector.compaction import Compaction
from whence.model.delta import GraphDelta
from whence.model.sketch import decode
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import Store
from whence.testing.graphs import START_S, at, change, connected, delta, edge, exposure, key, link, operation, relation

ROOT = Path(__file__).parents[2]
A, B = key("a"), key("b")
CALLS = link(A, B)
HOUR, DAY = 3600, 86_400
NOW_S = START_S + 100 * DAY
FAR = {"from_s": 0, "to_s": NOW_S}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path / "whence.db")
    await store.open()
    yield store
    await store.close()


async def compact(store: EmbeddedStore, *widths: int) -> None:
    await Compaction(store, [(HOUR, width) for width in widths or (HOUR,)], clock=lambda: NOW_S * 10**9).run()


def minute(number: int, writer: str = "w", spans: int = 1) -> GraphDelta:
    second = 60 * number
    return delta(
        *connected(relation(CALLS, second)),
        edge(CALLS, second, spans, writer=writer),
        operation(A, second, spans, writer=writer),
        exposure(A, B, second, spans, writer=writer),
        change(f"{writer}-{number}", A, second),
    )


async def hours(store: Store, width: int = HOUR) -> dict[tuple[str, int], tuple[float, float]]:
    """Calls, and calls in the sketch, for each table and wide bucket."""
    sums: dict[tuple[str, int], tuple[float, float]] = {}
    edges = [("edge", row.start_s, row.calls, row.latency) for row in await store.edge_rows(buckets(A, B, **FAR))]
    own = [("own", row.start_s, row.calls, row.self_time) for row in await store.operation_rows(buckets(A, **FAR))]
    met = [("met", row.start_s, row.requests, row.latency) for row in await store.exposure_rows(exposures(A, **FAR))]
    for table, start, calls, data in (*edges, *own, *met):
        so_far, sketched = sums.get((table, start // width), (0.0, 0.0))
        sums[table, start // width] = (so_far + calls, sketched + sum(decode(data).values()))
    return sums


async def test_compaction_keeps_sums_and_leaves_one_row_for_each_hour(store: EmbeddedStore) -> None:
    for number in range(120):
        await store.upsert(minute(number, f"w{number % 7}"))
    before = await hours(store)
    await compact(store)
    assert await hours(store) == before
    assert len(await store.edge_rows(buckets(A, B, **FAR))) == len(before) / 3


async def test_hours_fold_into_days_and_a_second_run_changes_nothing(store: EmbeddedStore) -> None:
    for number in range(0, 3000, 20):
        await store.upsert(minute(number))
    before = await hours(store, DAY)
    await compact(store, HOUR, DAY)
    once = await hours(store, 1)
    await compact(store, HOUR, DAY)
    assert await hours(store, DAY) == before
    assert await hours(store, 1) == once
    assert all(start % DAY == 0 for _, start in once)


async def test_a_row_sent_again_after_its_hour_was_folded_counts_once(store: EmbeddedStore) -> None:
    await store.upsert(minute(0))
    before = await hours(store)
    await compact(store)
    await store.upsert(minute(0))
    await store.upsert(minute(0, spans=5))
    await compact(store)
    assert await hours(store) == before


async def test_late_counts_of_another_writer_are_added(store: EmbeddedStore) -> None:
    await store.upsert(minute(0))
    await compact(store)
    await store.upsert(minute(0, "late", spans=4))
    await compact(store, HOUR)
    assert {calls for calls, _ in (await hours(store)).values()} == {5.0}


async def test_what_a_writer_learned_later_is_not_seen_earlier(store: EmbeddedStore) -> None:
    await store.upsert(minute(0, f"w-{START_S}"))
    await store.upsert(minute(0, f"w-{START_S + 3 * HOUR}", spans=4))
    await compact(store)
    seen = await store.edge_rows(buckets(A, B, **FAR, known_ns=at(2 * HOUR)))
    assert [row.calls for row in seen] == [1.0]
    assert not await store.edge_rows(buckets(A, B, **FAR, known_ns=at(-1)))


async def test_rows_that_are_not_old_enough_stay(store: EmbeddedStore) -> None:
    await store.upsert(minute(0))
    before = await hours(store, 1)
    await Compaction(store, [(HOUR, HOUR)], clock=lambda: at(HOUR)).run()
    assert await hours(store, 1) == before


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["w", "v"]), st.integers(1, 9)), max_size=12),
    known=st.integers(0, 20_000),
)
async def test_facts_as_of_any_time_are_the_same_after_compaction(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, int]], known: int
) -> None:
    store = EmbeddedStore(tmp_path_factory.mktemp("db") / "whence.db")
    await store.open()
    for row in rows:
        await store.upsert(minute(*row))

    async def facts() -> tuple[object, ...]:
        graph = await store.upstream(closure(A, to_ns=at(known), known_ns=at(known)))
        listed = await store.changes(changes(known_ns=at(known)))
        return graph, listed, await store.versions([A], None, at(known)), await store.entity(A), await hours(store)

    before = await facts()
    await compact(store, HOUR)
    assert await facts() == before
    await store.close()


_COMPACTING = """
import asyncio, sys
from pathlib import Path
from whence.store.embedded import EmbeddedStore
async def main():
    store = EmbeddedStore(Path(sys.argv[1]))
    await store.open()
    print("open", flush=True)
    after = -1
    while step := await store.compact(after, int(sys.argv[2]), 3600):
        after = step.start_s
asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(2))
async def test_compaction_killed_at_any_moment_neither_loses_nor_doubles(tmp_path: Path, seed: int) -> None:
    moments = random.Random(seed)
    path = tmp_path / "whence.db"
    store = EmbeddedStore(path)
    await store.open()
    for number in range(240):
        await store.upsert(minute(number, f"w{number}"))
    before = await hours(store)
    for _ in range(3):
        command = [sys.executable, "-c", _COMPACTING, str(path), str(NOW_S)]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(moments.uniform(0.0, 0.1))
        if process.returncode is None:
            process.kill()
        await process.communicate()
        assert await hours(store) == before
    await compact(store)
    assert await hours(store) == before
    await store.close()


async def test_file_of_the_first_version_is_brought_up_and_can_be_compacted(tmp_path: Path) -> None:
    path = tmp_path / "whence.db"
    store = EmbeddedStore(path)
    await store.open()
    await store.upsert(minute(0))
    before = await hours(store)
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE writer DROP COLUMN width")
        connection.execute("ALTER TABLE writer DROP COLUMN folded")
        connection.execute("DROP TABLE example")
        connection.execute("DROP INDEX attribute_owner")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    await store.open()
    await compact(store)
    assert await hours(store) == before
    await store.close()
