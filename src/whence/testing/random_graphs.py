"""Small random graphs, the same for one seed everywhere: full of ties, cycles, late data and odd names."""

# ruff: noqa: S311 - nothing here is a secret.

from __future__ import annotations

import random
from collections.abc import Iterable

from whence.model.change import Change
from whence.model.delta import (
    ALL_REQUESTS,
    Attribute,
    EdgeCounts,
    EdgeKey,
    Entity,
    Example,
    ExposureCounts,
    ExposureKey,
    GraphDelta,
    OperationCounts,
    OperationKey,
    Relation,
    RelationKey,
    merge_entity,
)
from whence.model.kinds import FOREVER_NS, VERSION_KINDS, ChangeKind, EntityKind, Layer, RelationType
from whence.model.profile import ColumnProfile, SnapshotProfile
from whence.model.sketch import encode
from whence.testing.graphs import START_S, at

SPAN_SECONDS = 120
"""All that happens in a random graph happens within so long after the start."""
BUCKET_SECONDS = 15
ENVIRONMENTS = ("", "production", "test")
OPERATIONS = ("GET /", "POST /pay", "naïve 'op`")
WRITERS = ("w1", f"w2-{START_S + 40}", f"w3-{START_S + 80}")

_BASES = (
    ("otel://shop#cart", EntityKind.SERVICE),
    ("otel://shop#pay", EntityKind.SERVICE),
    ("otel://other#pay", EntityKind.SERVICE),
    ("otel://shop#caf%C3%A9", EntityKind.SERVICE),
    ("s3://lake#clicks", EntityKind.DATASET),
    ("mlflow+https://ml#ranker", EntityKind.MODEL),
    ("job#nightly", EntityKind.JOB),
    ("odd '`{}\\ \N{SNOWMAN}", EntityKind.EXTERNAL),
)
ENTITIES = tuple(key for key, _ in _BASES)
_KIND_OF = dict(_BASES) | {
    f"{key}@version:{number}": VERSION_KINDS[kind] for key, kind in _BASES if kind in VERSION_KINDS for number in "123"
}
NODES = tuple(_KIND_OF)
DATASETS = tuple(key for key, kind in _BASES if kind in (EntityKind.DATASET, EntityKind.MODEL))


def random_deltas(seed: int, count: int = 6) -> list[GraphDelta]:
    """Deltas that speak of the same few things, so that most facts are told more than once and differently."""
    rng = random.Random(seed)
    return [_delta(rng) for _ in range(count)]


def _delta(rng: random.Random) -> GraphDelta:
    relations = {one.key: one for one in (_relation(rng) for _ in range(20))}
    runtime = [key for key in relations if not key.type.is_lasting]
    edges = dict(_edge(rng, rng.choice(runtime)) for _ in range(10)) if runtime else {}
    operations = dict(_operation(rng) for _ in range(6))
    exposures = dict(_exposure(rng) for _ in range(8))
    changes = [_change(rng) for _ in range(4)]
    profiles = [_profile(rng) for _ in range(3)]
    named = [
        *(end for key in relations for end in (key.src, key.dst)),
        *(key.node for key in operations),
        *(key.service for key in exposures),
        *(key.node for key in exposures if key.node != ALL_REQUESTS),
    ]
    used = rng.sample(runtime, k=min(4, len(runtime)))
    return GraphDelta(
        entities=_entities(rng, [*named, *rng.choices(NODES, k=3)]),
        relations=relations,
        edges=edges,
        operations=operations,
        exposures=exposures,
        changes={one.id: one for one in changes},
        profiles={one.version: one for one in profiles},
        examples={key: Example(at(rng.randrange(3)), f"{rng.randrange(3):032x}") for key in used},
    )


def _entities(rng: random.Random, keys: Iterable[str]) -> dict[str, Entity]:
    entities: dict[str, Entity] = {}
    for key in keys:
        entity = _entity(rng, key)
        entities[key] = merge_entity(entities[key], entity) if key in entities else entity
    return entities


def _entity(rng: random.Random, key: str) -> Entity:
    first = rng.randrange(SPAN_SECONDS)
    kind = rng.choice((_KIND_OF[key], _KIND_OF[key], EntityKind.EXTERNAL))
    names = sorted(rng.sample(("owner", "url", "tier"), k=rng.randrange(3)))
    attributes = tuple(Attribute(name, rng.choice("ab\N{SNOWMAN}"), at(rng.randrange(3))) for name in names)
    return Entity(key, kind, key.partition("@")[0], at(first), at(first + rng.randrange(20)), attributes)


def _relation(rng: random.Random) -> Relation:
    src, dst = rng.choices(NODES, k=2)
    type_ = rng.choice((*RelationType, RelationType.CALLS, RelationType.CALLS))
    if type_ is RelationType.HAS_VERSION:
        src = rng.choice(ENTITIES)
    layer = rng.choice((*Layer, Layer.OBSERVED, Layer.OBSERVED))
    first = rng.randrange(SPAN_SECONDS)
    last = first + rng.randrange(40)
    until = FOREVER_NS if type_.is_lasting else at(last)
    key = RelationKey(src, type_, dst, rng.choice(ENVIRONMENTS), layer)
    return Relation(key, at(first), at(last), until, at(last + rng.randrange(40)))


def _start_s(rng: random.Random) -> int:
    return START_S + BUCKET_SECONDS * rng.randrange(SPAN_SECONDS // BUCKET_SECONDS)


def _sketch(rng: random.Random) -> bytes:
    return encode({rng.randrange(60): float(rng.randrange(1, 4)) for _ in range(rng.randrange(3))})


def _weight(rng: random.Random) -> float:
    return rng.choice((0.0, 1.0, 2.5, 10.0))


def _edge(rng: random.Random, key: RelationKey) -> tuple[EdgeKey, EdgeCounts]:
    counts = EdgeCounts(rng.randrange(1, 4), _weight(rng), _weight(rng), _weight(rng), _sketch(rng), _sketch(rng))
    return EdgeKey(key, _start_s(rng), rng.choice(WRITERS)), counts


def _operation(rng: random.Random) -> tuple[OperationKey, OperationCounts]:
    key = OperationKey(
        rng.choice(NODES), rng.choice(OPERATIONS), rng.choice(ENVIRONMENTS), _start_s(rng), rng.choice(WRITERS)
    )
    return key, OperationCounts(
        rng.randrange(1, 4), _weight(rng), _weight(rng), _weight(rng), _weight(rng), _weight(rng), _sketch(rng)
    )


def _exposure(rng: random.Random) -> tuple[ExposureKey, ExposureCounts]:
    key = ExposureKey(
        rng.choice(ENTITIES[:3]),
        rng.choice(OPERATIONS),
        rng.choice((ALL_REQUESTS, *NODES)),
        rng.choice(ENVIRONMENTS),
        _start_s(rng),
        rng.choice(WRITERS),
    )
    return key, ExposureCounts(
        rng.randrange(1, 4), _weight(rng), _weight(rng), _weight(rng), _weight(rng), _sketch(rng)
    )


def _change(rng: random.Random) -> Change:
    effective, known = rng.randrange(SPAN_SECONDS), rng.randrange(SPAN_SECONDS)
    return Change(
        id=f"c{rng.randrange(12)}",
        kind=rng.choice(tuple(ChangeKind)),
        subject=rng.choice((*NODES, "pay", "ranker", "nothing")),
        effective_ns=at(effective),
        known_ns=at(known),
        reported_ns=at(known + rng.randrange(3)),
        environment=rng.choice(ENVIRONMENTS),
        to_version=rng.choice((None, "2")),
        recorded=rng.random() < 0.7,
    )


def _profile(rng: random.Random) -> SnapshotProfile:
    dataset, number = rng.choice(DATASETS), rng.randrange(1, 4)
    column = ColumnProfile("price", null_rate=rng.choice((None, 0.25)), distinct=rng.choice((None, 3)))
    # The time depends on the snapshot first, so that no two snapshots of a dataset tie.
    taken = at(10 * number + rng.randrange(5))
    return SnapshotProfile(f"{dataset}@version:{number}", dataset, taken, rng.randrange(5), columns=(column,))
