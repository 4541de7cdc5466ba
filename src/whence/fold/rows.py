"""Tallies to a ``GraphDelta``: what changed since the last drain, as absolute values of the writer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from whence.fold.catalog import Catalog, Node
from whence.fold.tables import ChangedRow
from whence.model.delta import (
    ALL_REQUESTS,
    Attribute,
    EdgeCounts,
    EdgeKey,
    Entity,
    ExposureCounts,
    ExposureKey,
    GraphDelta,
    OperationCounts,
    OperationKey,
    Relation,
    RelationKey,
    merge_entity,
    merge_relation,
)
from whence.model.kinds import FOREVER_NS, EntityKind, RelationType


class Seen(NamedTuple):
    """When something was seen, in UTC nanoseconds, and when we learned of it."""

    first_ns: int
    last_ns: int
    known_ns: int


class ChangedBucket(NamedTuple):
    """What changed in one bucket of time. Things are numbers of the catalog."""

    start_s: int
    operations: Iterable[ChangedRow]
    edges: Iterable[ChangedRow]
    exposures: Iterable[ChangedRow]


class Drain:
    """One drain: collects rows bucket by bucket. Make one, use it once."""

    def __init__(self, writer: str, catalog: Catalog) -> None:
        self._writer = writer
        self._catalog = catalog
        self._entities: dict[str, Entity] = {}
        self._relations: dict[RelationKey, Relation] = {}
        self._edges: dict[EdgeKey, EdgeCounts] = {}
        self._operations: dict[OperationKey, OperationCounts] = {}
        self._exposures: dict[ExposureKey, ExposureCounts] = {}

    def run(self, buckets: Iterable[ChangedBucket], derivations: Iterable[tuple[RelationKey, Seen]]) -> GraphDelta:
        """All of these as rows."""
        for bucket in buckets:
            self._add_operations(bucket)
            self._add_edges(bucket)
            self._add_exposures(bucket)
        for key, seen in derivations:
            self._add_relation(key, seen)
        return GraphDelta(self._entities, self._relations, self._edges, self._operations, self._exposures)

    def _add_operations(self, bucket: ChangedBucket) -> None:
        for number, counts, first_ns, last_ns in bucket.operations:
            operation = self._catalog.operations[number]
            node, environment = operation.node, operation.environment
            key = OperationKey(node.key, operation.name, environment, bucket.start_s, self._writer)
            self._operations[key] = OperationCounts._make(counts)
            self._add_node(node, environment, Seen(first_ns, last_ns, operation.known_ns))

    def _add_edges(self, bucket: ChangedBucket) -> None:
        for number, counts, first_ns, last_ns in bucket.edges:
            edge = self._catalog.edges[number]
            self._edges[EdgeKey(edge.key, bucket.start_s, self._writer)] = EdgeCounts._make(counts)
            seen = Seen(first_ns, last_ns, edge.known_ns)
            self._add_relation(edge.key, seen)
            self._add_node(edge.far, edge.key.environment, seen)

    def _add_exposures(self, bucket: ChangedBucket) -> None:
        for number, counts, _, _ in bucket.exposures:
            exposure = self._catalog.exposures[number]
            entry, node = exposure.entry, exposure.node.key if exposure.node else ALL_REQUESTS
            key = ExposureKey(entry.service, entry.name, node, entry.environment, bucket.start_s, self._writer)
            self._exposures[key] = ExposureCounts._make(counts)

    def _add_node(self, node: Node, environment: str, seen: Seen) -> None:
        """A node, and what it is a version of."""
        self._add_entity(node.key, node.kind, node.base, seen, node.attributes)
        if node.key != node.base:
            self._add_entity(node.base, node.base_kind, node.base, seen, {})
            self._add_relation(RelationKey(node.base, RelationType.HAS_VERSION, node.key, environment), seen)

    def _add_entity(self, key: str, kind: EntityKind, base: str, seen: Seen, attributes: dict[str, str]) -> None:
        known = tuple(Attribute(name, value, seen.last_ns) for name, value in sorted(attributes.items()))
        entity = Entity(key, kind, base, seen.first_ns, seen.last_ns, known)
        present = self._entities.get(key)
        self._entities[key] = merge_entity(present, entity) if present else entity

    def _add_relation(self, key: RelationKey, seen: Seen) -> None:
        active_until_ns = FOREVER_NS if key.type.is_lasting else seen.last_ns
        relation = Relation(key, seen.first_ns, seen.last_ns, active_until_ns, seen.known_ns)
        present = self._relations.get(key)
        self._relations[key] = merge_relation(present, relation) if present else relation
