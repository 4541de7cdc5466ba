"""Deltas for property tests, drawn from so few keys that most facts collide."""

from __future__ import annotations

from hypothesis import strategies as st

from whence.model.change import Change
from whence.model.delta import (
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
)
from whence.model.kinds import ChangeKind, EntityKind, Layer, RelationType
from whence.model.profile import SnapshotProfile

keys = st.sampled_from(("a", "b", "c"))
times = st.integers(0, 5)
weights = st.sampled_from((0.0, 1.0, 2.5))
sketches = st.sampled_from((b"", b"\x01\x00\x00\x80\x3f"))
maybe = st.sampled_from((None, "x", "y"))


@st.composite
def attributes(draw: st.DrawFn) -> tuple[Attribute, ...]:
    drawn = draw(st.dictionaries(st.sampled_from(("owner", "url")), st.tuples(keys, times)))
    return tuple(sorted(Attribute(name, value, seen) for name, (value, seen) in drawn.items()))


relation_keys = st.builds(
    RelationKey,
    src=keys,
    type=st.sampled_from((RelationType.CALLS, RelationType.READS)),
    dst=keys,
    environment=st.sampled_from(("", "production")),
    layer=st.sampled_from((Layer.OBSERVED, Layer.DECLARED)),
)
edge_keys = st.builds(EdgeKey, relation=relation_keys, start_s=times, writer=keys)
operation_keys = st.builds(OperationKey, keys, keys, st.just(""), times, keys)
exposure_keys = st.builds(ExposureKey, keys, keys, keys, st.just(""), times, keys)
examples = st.builds(Example, times, keys)
edge_counts = st.builds(EdgeCounts, times, weights, weights, weights, sketches, sketches)
operation_counts = st.builds(OperationCounts, times, weights, weights, weights, weights, weights, sketches)
exposure_counts = st.builds(ExposureCounts, times, weights, weights, weights, weights, sketches)


@st.composite
def entities(draw: st.DrawFn, key: str) -> Entity:
    kind = draw(st.sampled_from(EntityKind))
    return Entity(key, kind, draw(keys), draw(times), draw(times), draw(attributes()))


@st.composite
def relations(draw: st.DrawFn, key: RelationKey) -> Relation:
    return Relation(key, draw(times), draw(times), draw(times), draw(times))


@st.composite
def changes(draw: st.DrawFn, change_id: str) -> Change:
    return Change(
        change_id,
        draw(st.sampled_from((ChangeKind.DEPLOYMENT, ChangeKind.MODEL))),
        draw(keys),
        draw(times),
        draw(times),
        draw(times),
        from_version=draw(maybe),
        finished_ns=draw(st.none() | times),
        recorded=draw(st.booleans()),
    )


@st.composite
def profiles(draw: st.DrawFn, version: str) -> SnapshotProfile:
    return SnapshotProfile(version, draw(keys), draw(times), draw(st.none() | times))


@st.composite
def deltas(draw: st.DrawFn) -> GraphDelta:
    """Any delta; each part holds at most three facts."""
    few = 3
    return GraphDelta(
        entities={key: draw(entities(key)) for key in draw(st.sets(keys, max_size=few))},
        relations={key: draw(relations(key)) for key in draw(st.sets(relation_keys, max_size=few))},
        edges=draw(st.dictionaries(edge_keys, edge_counts, max_size=few)),
        operations=draw(st.dictionaries(operation_keys, operation_counts, max_size=few)),
        exposures=draw(st.dictionaries(exposure_keys, exposure_counts, max_size=few)),
        changes={key: draw(changes(key)) for key in draw(st.sets(keys, max_size=few))},
        profiles={key: draw(profiles(key)) for key in draw(st.sets(keys, max_size=few))},
        examples=draw(st.dictionaries(relation_keys, examples, max_size=few)),
    )
