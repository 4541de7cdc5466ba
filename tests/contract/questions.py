"""Random questions about a random graph, each of which may be asked of any two readers and the answers compared."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from whence.model.kinds import EntityKind, Layer, RelationType
from whence.store.protocol import (
    BucketQuery,
    ChangeQuery,
    ClosureQuery,
    DependencyQuery,
    ExposureQuery,
    Page,
    SearchQuery,
)
from whence.testing.graphs import START_S, at
from whence.testing.random_graphs import DATASETS, ENTITIES, ENVIRONMENTS, NODES, OPERATIONS, SPAN_SECONDS

_UNORDERED = frozenset({"dependencies", "edge_rows", "operation_rows", "exposure_rows", "versions", "profiles"})


class Question(NamedTuple):
    """A read and its arguments."""

    method: str
    arguments: tuple[object, ...]

    async def ask(self, reader: object) -> object:
        """The answer in a form in which equal answers are equal."""
        answer = await getattr(reader, self.method)(*self.arguments)
        if self.method in _UNORDERED:
            return sorted(answer, key=repr)
        if isinstance(answer, Page):
            return answer.items, answer.cursor is None
        return answer


def random_questions(seed: int, rounds: int = 15) -> Iterator[Question]:
    """Some questions of every sort."""
    rng = random.Random(seed)
    for _ in range(rounds):
        yield Question(rng.choice(("upstream", "downstream")), (_closure(rng),))
        yield Question(rng.choice(("upstream", "downstream")), (_closure(rng),))
        yield Question(rng.choice(("edge_rows", "operation_rows")), (_buckets(rng),))
        yield Question("examples", (_some(rng, NODES),))
        yield Question("dependencies", (_dependencies(rng),))
        yield Question("exposure_rows", (_exposures(rng),))
        yield Question("changes", (_changes(rng),))
        yield Question("versions", (_some(rng, ENTITIES), _environment(rng), _known(rng)))
        yield Question("profiles", (_some(rng, DATASETS), at(rng.randrange(50)), rng.randrange(1, 4)))
        yield Question("search", (_search(rng),))
        yield Question(rng.choice(("entity", "named")), (rng.choice((*NODES, "pay", "cart", "nothing")),))
        yield Question("nearest", (rng.choice(("kart", "pai", "otel://shop#rankr")), rng.randrange(1, 4)))
        yield Question("change", (f"c{rng.randrange(14)}",))


def _some(rng: random.Random, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(rng.sample(values, k=rng.randrange(len(values) + 1)))


def _environment(rng: random.Random) -> str | None:
    return rng.choice((None, None, *ENVIRONMENTS))


def _known(rng: random.Random) -> int | None:
    return rng.choice((None, None, at(rng.randrange(2 * SPAN_SECONDS))))


def _window(rng: random.Random) -> tuple[int, int]:
    first, last = sorted(rng.choices(range(SPAN_SECONDS + 60), k=2))
    return first, last + 30


def _closure(rng: random.Random) -> ClosureQuery:
    first, last = _window(rng)
    return ClosureQuery(
        roots=tuple(rng.choices((*NODES, "nowhere"), k=rng.randrange(1, 4))),
        from_ns=at(first),
        to_ns=at(last),
        environment=_environment(rng),
        types=frozenset(rng.choice(((), (), rng.sample(tuple(RelationType), k=4)))),
        layers=frozenset(rng.sample(tuple(Layer), k=rng.randrange(1, 5))),
        max_hops=rng.choice((0, 1, 2, 3, 8, 12)),
        max_nodes=rng.choice((1, 3, 5, 2_000)),
        known_ns=_known(rng),
    )


def _dependencies(rng: random.Random) -> DependencyQuery:
    like = _closure(rng)
    return DependencyQuery(like.from_ns, like.to_ns, like.environment, like.types, like.layers, like.known_ns)


def _buckets(rng: random.Random) -> BucketQuery:
    first, last = _window(rng)
    nodes, environment, known_ns = _some(rng, NODES), _environment(rng), _known(rng)
    return BucketQuery(nodes, START_S + first, START_S + last, environment, known_ns, rng.random() < 0.5)


def _exposures(rng: random.Random) -> ExposureQuery:
    first, last = _window(rng)
    return ExposureQuery(
        service=rng.choice(ENTITIES[:4]),
        from_s=START_S + first,
        to_s=START_S + last,
        operation=rng.choice((None, *OPERATIONS)),
        nodes=rng.choice((None, _some(rng, NODES))),
        environment=_environment(rng),
        known_ns=_known(rng),
    )


def _changes(rng: random.Random) -> ChangeQuery:
    first, last = _window(rng)
    return ChangeQuery(
        from_ns=at(first),
        to_ns=at(last),
        subjects=rng.choice((None, _some(rng, NODES))),
        environment=_environment(rng),
        known_ns=_known(rng),
        limit=rng.choice((1, 3, 50)),
    )


def _search(rng: random.Random) -> SearchQuery:
    return SearchQuery(
        text=rng.choice(("", "PAY", "shop otel", "#", "version:1", "\N{SNOWMAN}")),
        kinds=frozenset(rng.choice(((), (), rng.sample(tuple(EntityKind), k=5)))),
        owner=rng.choice((None, None, "a")),
        base=rng.choice((None, None, *ENTITIES)),
        limit=rng.choice((1, 4, 50)),
    )
