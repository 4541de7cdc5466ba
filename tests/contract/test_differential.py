"""Both stores, told the same, answer alike: random graphs and questions, and one large graph.

The contract compares each store with a reference on graphs of a few nodes; here are more seeds, and sizes at which
bounds cut and plans matter.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path

import pytest

from tests.contract.questions import Question, random_questions
from whence.model.kinds import RelationType
from whence.model.times import NS_PER_SECOND
from whence.store.bolt import BoltStore
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import BucketQuery, ClosureQuery, SearchQuery, Store
from whence.testing.layered_graphs import END_S, LAYERS, WIDTH, batches, folded, node, topology
from whence.testing.random_graphs import random_deltas

pytestmark = pytest.mark.neo4j

ROUNDS = 25
CLOSURES = 30
LARGE = 7_000
"""Relations of the large graph: one domain."""

Pair = tuple[Store, Store]


@pytest.fixture
async def both(bolt_store: BoltStore, tmp_path: Path) -> AsyncIterator[Pair]:
    embedded = EmbeddedStore(tmp_path / "whence.db")
    await embedded.open()
    yield embedded, bolt_store
    await embedded.close()


async def assert_alike(both: Pair, question: Question) -> None:
    embedded, bolt = both
    assert await question.ask(bolt) == await question.ask(embedded), question


@pytest.mark.parametrize("seed", range(100, 104))
async def test_stores_told_a_random_graph_answer_alike(both: Pair, seed: int) -> None:
    deltas = random_deltas(seed, count=12)
    for store, order in zip(both, (deltas, deltas[::-1]), strict=True):
        for delta in order:
            await store.upsert(delta)
    for question in random_questions(seed, ROUNDS):
        await assert_alike(both, question)
    await assert_alike(both, Question("counts", ()))


async def test_stores_told_a_large_graph_walk_and_count_alike(both: Pair) -> None:
    rng = random.Random(1)
    for delta in chain(topology(LARGE, seed=1), batches(folded(0, 1, buckets=2), 4_000)):
        for store in both:
            await store.upsert(delta)
    for _ in range(CLOSURES):
        await assert_alike(both, Question(rng.choice(("upstream", "downstream")), (_closure(rng),)))
    nodes = tuple(node(0, layer, index) for layer in range(4) for index in range(WIDTH))
    for known_ns in (None, 0):
        await assert_alike(both, Question("edge_rows", (BucketQuery(nodes, END_S - 30, END_S, known_ns=known_ns),)))
    await assert_alike(both, Question("search", (SearchQuery("layer-05 NODE", limit=100),)))
    await assert_alike(both, Question("nearest", ("layer-5-nod-007", 5)))


def _closure(rng: random.Random) -> ClosureQuery:
    roots = [node(0, rng.randrange(LAYERS), rng.randrange(WIDTH)) for _ in range(rng.choice((1, 1, 2, 5)))]
    until_s = END_S - rng.randrange(10 * 86_400)
    return ClosureQuery(
        roots=tuple(roots),
        from_ns=(until_s - 86_400) * NS_PER_SECOND,
        to_ns=until_s * NS_PER_SECOND,
        environment=rng.choice((None, "production", "test")),
        types=frozenset(rng.choice(((), (), (RelationType.CALLS, RelationType.USES_MODEL)))),
        max_hops=rng.choice((1, 2, 3, 8, 12)),
        max_nodes=rng.choice((7, 50, 300, 10_000)),
        known_ns=rng.choice((None, (until_s - 5 * 86_400) * NS_PER_SECOND)),
    )
