"""Many writers on the same nodes of one Neo4j at once: nothing gets lost, and none waits for another in a circle."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from whence.model.delta import Attribute, GraphDelta
from whence.store.bolt import BoltStore
from whence.store.protocol import BucketQuery, ClosureQuery
from whence.testing.graphs import START_S, at, change, connected, delta, edge, entity, key, link, operation, relation

pytestmark = pytest.mark.neo4j

WRITERS = 6
ROUNDS = 12
A, B = key("a"), key("b")


@pytest.fixture
async def stores(make_bolt_store: Callable[[], BoltStore]) -> AsyncIterator[list[BoltStore]]:
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(WRITERS):
            store = make_bolt_store()
            stack.push_async_callback(store.close)
            await store.open()
            opened.append(store)
        yield opened


async def upsert_at_once(stores: list[BoltStore], deltas: list[list[GraphDelta]]) -> None:
    """Each store writes its own list, one after the other, all stores at once."""

    async def write(store: BoltStore, own: list[GraphDelta]) -> None:
        for one in own:
            await store.upsert(one)

    await asyncio.gather(*(write(store, own) for store, own in zip(stores, deltas, strict=True)))


def dealt(deltas: list[GraphDelta]) -> list[list[GraphDelta]]:
    random.Random(1).shuffle(deltas)
    return [deltas[at::WRITERS] for at in range(WRITERS)]


async def test_attributes_of_one_entity_from_many_writers_are_all_kept(stores: list[BoltStore]) -> None:
    wanted = tuple(sorted(Attribute(f"name-{i:03}", "value", at(i)) for i in range(WRITERS * ROUNDS)))
    await upsert_at_once(stores, dealt([delta(entity(A, attributes=(one,))) for one in wanted]))
    found = await stores[0].entity(A)
    assert found is not None
    assert found.attributes == wanted


async def test_greatest_counts_of_one_row_from_many_writers_stay(stores: list[BoltStore]) -> None:
    await stores[0].upsert(delta(entity(A)))
    rows = [delta(*(operation(A, second, spans) for second in range(5))) for spans in range(1, WRITERS * ROUNDS + 1)]
    await upsert_at_once(stores, dealt(rows))
    found = await stores[0].operation_rows(BucketQuery((A,), START_S, START_S + 10))
    assert sorted((row.start_s, row.calls) for row in found) == [
        (START_S + second, float(WRITERS * ROUNDS)) for second in range(5)
    ]


async def test_relation_seen_by_many_writers_is_one_and_spans_all_sightings(stores: list[BoltStore]) -> None:
    a_calls_b = link(A, B)
    seen = [relation(a_calls_b, second, second + 1, known_ns=at(second)) for second in range(WRITERS * ROUNDS)]
    await upsert_at_once(stores, dealt([delta(*connected(one)) for one in seen]))
    graph = await stores[0].upstream(ClosureQuery((A,), at(0), at(1_000)))
    assert graph.relations == (relation(a_calls_b, 0, WRITERS * ROUNDS, known_ns=at(0)),)


async def test_change_reported_by_many_writers_keeps_the_latest_report(stores: list[BoltStore]) -> None:
    reports = [change("c", A, second, summary=str(second)) for second in range(WRITERS * ROUNDS)]
    await upsert_at_once(stores, dealt([delta(one) for one in reports]))
    found = await stores[0].change("c")
    assert found is not None
    assert (found.summary, found.known_ns) == (str(WRITERS * ROUNDS - 1), at(0))


async def test_writers_of_overlapping_graphs_never_deadlock(
    stores: list[BoltStore], caplog: pytest.LogCaptureFixture
) -> None:
    rng = random.Random(2)
    names = [key(f"n{i}") for i in range(12)]
    graphs = []
    for writer in range(WRITERS):
        links = [link(rng.choice(names), rng.choice(names)) for _ in range(30)]
        facts = [*connected(*map(relation, links)), *(edge(one, writer=f"w{writer}") for one in links)]
        rng.shuffle(facts)
        graphs.append([delta(*facts)] * ROUNDS)
    with caplog.at_level(logging.WARNING, logger="neo4j"):
        await upsert_at_once(stores, graphs)
    assert "Deadlock" not in caplog.text
