"""What a delta names without describing it: it exists, so it gets a stand-in, unless the store knows it already."""

from __future__ import annotations

from collections.abc import Iterator

from whence.model.delta import ALL_REQUESTS, Entity, GraphDelta, Relation, RelationKey
from whence.model.times import NS_PER_SECOND
from whence.store.rules import placeholder


def undescribed_entities(delta: GraphDelta) -> dict[str, Entity]:
    """Stand-ins for entities that only relations and rows name, as seen when they were first named."""
    first: dict[str, int] = {}
    for key, seen_ns in _named_entities(delta):
        if key not in delta.entities:
            first[key] = min(seen_ns, first.get(key, seen_ns))
    return {key: placeholder(key, seen_ns) for key, seen_ns in first.items()}


def undescribed_relations(delta: GraphDelta) -> list[Relation]:
    """Stand-ins for relations that only rows and examples name: they were there when they were counted."""
    first = _first_used(delta)
    return [Relation(key, ns, ns, ns, ns) for key, ns in first.items() if key not in delta.relations]


def _first_used(delta: GraphDelta) -> dict[RelationKey, int]:
    first = {relation: one.at_ns for relation, one in delta.examples.items()}
    for relation, start_s, _ in delta.edges:
        seen_ns = start_s * NS_PER_SECOND
        first[relation] = min(seen_ns, first.get(relation, seen_ns))
    return first


def _named_entities(delta: GraphDelta) -> Iterator[tuple[str, int]]:
    for key, relation in delta.relations.items():
        yield key.src, relation.first_seen_ns
        yield key.dst, relation.first_seen_ns
    for key, seen_ns in _first_used(delta).items():
        yield key.src, seen_ns
        yield key.dst, seen_ns
    for operation in delta.operations:
        yield operation.node, operation.start_s * NS_PER_SECOND
    for exposure in delta.exposures:
        yield exposure.service, exposure.start_s * NS_PER_SECOND
        if exposure.node != ALL_REQUESTS:
            yield exposure.node, exposure.start_s * NS_PER_SECOND
