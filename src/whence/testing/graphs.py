"""Builders of graph facts for tests and benchmarks. Everything has a default, so a test names only what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

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
    merge_all,
)
from whence.model.kinds import FOREVER_NS, ChangeKind, EntityKind, RelationType
from whence.model.profile import SnapshotProfile
from whence.model.sketch import encode
from whence.model.times import NS_PER_SECOND

START_S = 1_790_000_000
"""The instant that builders count from, in Unix seconds."""

T = TypeVar("T", EdgeKey, EdgeCounts, OperationKey, OperationCounts, ExposureKey, ExposureCounts)
EdgeFact = tuple[EdgeKey, EdgeCounts]
OperationFact = tuple[OperationKey, OperationCounts]
ExposureFact = tuple[ExposureKey, ExposureCounts]
ExampleFact = tuple[RelationKey, Example]
Fact = Entity | Relation | Change | SnapshotProfile | EdgeFact | OperationFact | ExposureFact | ExampleFact


def at(seconds: float) -> int:
    """Nanoseconds of the instant some seconds after the start."""
    return START_S * NS_PER_SECOND + round(seconds * NS_PER_SECOND)


def key(name: str, version: str | None = None) -> str:
    """Key of a service, or of one version of it."""
    return f"otel://shop#{name}" if version is None else f"otel://shop#{name}@version:{version}"


def entity(of: str, kind: EntityKind = EntityKind.SERVICE, *, base: str | None = None, **more: Any) -> Entity:
    """An entity, or a version if ``base`` is given, seen once at the start. ``more`` sets other fields."""
    return replace(Entity(of, kind, of if base is None else base, at(0), at(0)), **more)


def attributes(seen_ns: int = at(0), /, **values: str) -> tuple[Attribute, ...]:
    """Attributes that were all seen at one instant."""
    return tuple(sorted(Attribute(name, value, seen_ns) for name, value in values.items()))


def link(src: str, dst: str, type_: RelationType = RelationType.CALLS, **more: Any) -> RelationKey:
    """Identity of a relation, observed and without an environment unless ``more`` says otherwise."""
    return RelationKey(src, type_, dst)._replace(**more)


def relation(of: RelationKey, first: float = 0, last: float | None = None, **more: Any) -> Relation:
    """A relation seen from ``first`` to ``last`` (seconds after the start), known since it was first seen."""
    last = first if last is None else last
    until = FOREVER_NS if of.type.is_lasting else at(last)
    return replace(Relation(of, at(first), at(last), until, at(first)), **more)


def edge(of: RelationKey, second: int = 0, spans: int = 1, **more: Any) -> EdgeFact:
    """One row of calls: as many as spans, none in error, 1 ms each. ``more`` sets fields of its key or counts."""
    counts = EdgeCounts(spans, float(spans), 0.0, 0.0, encode({40: spans}), b"")
    return _changed(EdgeKey(of, START_S + second, "w"), more), _changed(counts, more)


def example(of: RelationKey, second: float = 0, trace: int = 1) -> ExampleFact:
    """A trace that used a relation."""
    return of, Example(at(second), f"{trace:032x}")


def operation(node: str, second: int = 0, spans: int = 1, **more: Any) -> OperationFact:
    """One row of what a node did by itself in ``GET /``. ``more`` sets fields of its key or counts."""
    counts = OperationCounts(spans, float(spans), 0.0, 0.0, 0.0, 0.0, encode({40: spans}))
    return _changed(OperationKey(node, "GET /", "", START_S + second, "w"), more), _changed(counts, more)


def exposure(service: str, node: str = ALL_REQUESTS, second: int = 0, spans: int = 1, **more: Any) -> ExposureFact:
    """One row of requests into ``GET /`` of a service. ``more`` sets fields of its key or counts."""
    counts = ExposureCounts(spans, float(spans), float(spans), 0.0, 0.0, encode({40: spans}))
    return _changed(ExposureKey(service, "GET /", node, "", START_S + second, "w"), more), _changed(counts, more)


def change(of: str, subject: str, second: float = 0, **more: Any) -> Change:
    """A deployment of ``subject``, known and reported as it took effect."""
    when = at(second)
    return replace(Change(of, ChangeKind.DEPLOYMENT, subject, when, when, when), **more)


def profile(version: str, dataset: str, second: float = 0, **more: Any) -> SnapshotProfile:
    """The profile of one snapshot."""
    return replace(SnapshotProfile(version, dataset, at(second)), **more)


def delta(*facts: Fact) -> GraphDelta:
    """Facts of any sort as one delta; facts of one key are merged."""
    return merge_all(_alone(fact) for fact in facts)


def connected(*relations: Relation) -> tuple[Fact, ...]:
    """Relations together with both ends of each as services."""
    ends = {end for one in relations for end in (one.key.src, one.key.dst)}
    return (*(entity(end) for end in sorted(ends)), *relations)


def services(names: Iterable[str]) -> tuple[Entity, ...]:
    """One service entity for each name."""
    return tuple(entity(key(name)) for name in names)


def _changed(row: T, more: Mapping[str, Any]) -> T:
    own = {name: value for name, value in more.items() if name in row._fields}
    return row._replace(**own)


def _alone(fact: Fact) -> GraphDelta:
    match fact:
        case Entity():
            return GraphDelta(entities={fact.key: fact})
        case Relation():
            return GraphDelta(relations={fact.key: fact})
        case Change():
            return GraphDelta(changes={fact.id: fact})
        case SnapshotProfile():
            return GraphDelta(profiles={fact.version: fact})
        case (EdgeKey() as row, EdgeCounts() as counts):
            return GraphDelta(edges={row: counts})
        case (OperationKey() as row, OperationCounts() as counts):
            return GraphDelta(operations={row: counts})
        case (ExposureKey() as row, ExposureCounts() as counts):
            return GraphDelta(exposures={row: counts})
        case (RelationKey() as used, Example() as example):
            return GraphDelta(examples={used: example})
    raise TypeError(f"not a fact: {fact!r}")
