"""Tallies to a ``GraphDelta``: what changed since the last drain, as absolute values of the writer."""

from __future__ import annotations

from typing import NamedTuple

from whence.fold.buckets import Buckets
from whence.fold.catalog import Catalog, Node
from whence.fold.tables import GAP, LATENCY, Bucket, encode_rows
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

    def run(self, buckets: Buckets) -> GraphDelta:
        """Everything that changed; afterwards nothing has."""
        for bucket in buckets.touched.values():
            self._add_operations(bucket)
            self._add_edges(bucket)
            self._add_exposures(bucket)
        for (output, used, environment), seen in buckets.derivations.items():
            key = RelationKey(output.key, RelationType.DERIVED_FROM, used.key, environment)
            self._add_relation(key, Seen(seen.first_ns, seen.last_ns, seen.known_ns))
        buckets.touched.clear()
        buckets.derivations.clear()
        return GraphDelta(self._entities, self._relations, self._edges, self._operations, self._exposures)

    def _add_operations(self, bucket: Bucket) -> None:
        table = bucket.operations
        rows = table.take_changed()
        counts = zip(table.spans[rows].tolist(), *table.numbers[:, rows].tolist(), strict=True)
        sketches = encode_rows(table.sketches[0, rows])
        times = zip(table.first_ns[rows].tolist(), table.last_ns[rows].tolist(), strict=True)
        for row, numbers, sketch, (first_ns, last_ns) in zip(rows.tolist(), counts, sketches, times, strict=True):
            operation = self._catalog.operations[table.things[row]]
            node, environment = operation.node, operation.environment
            key = OperationKey(node.key, operation.name, environment, bucket.start_s, self._writer)
            self._operations[key] = OperationCounts._make((*numbers, sketch))
            self._add_node(node, environment, Seen(first_ns, last_ns, operation.known_ns))

    def _add_edges(self, bucket: Bucket) -> None:
        table = bucket.edges
        rows = table.take_changed()
        counts = zip(table.spans[rows].tolist(), *table.numbers[:, rows].tolist(), strict=True)
        sketches = zip(*(encode_rows(table.sketches[number, rows]) for number in (LATENCY, GAP)), strict=True)
        times = zip(table.first_ns[rows].tolist(), table.last_ns[rows].tolist(), strict=True)
        for row, numbers, pair, (first_ns, last_ns) in zip(rows.tolist(), counts, sketches, times, strict=True):
            edge = self._catalog.edges[table.things[row]]
            self._edges[EdgeKey(edge.key, bucket.start_s, self._writer)] = EdgeCounts._make((*numbers, *pair))
            seen = Seen(first_ns, last_ns, edge.known_ns)
            self._add_relation(edge.key, seen)
            self._add_node(edge.far, edge.key.environment, seen)

    def _add_exposures(self, bucket: Bucket) -> None:
        table = bucket.exposures
        rows = table.take_changed()
        counts = zip(table.spans[rows].tolist(), *table.numbers[:, rows].tolist(), strict=True)
        sketches = encode_rows(table.sketches[0, rows])
        for row, numbers, sketch in zip(rows.tolist(), counts, sketches, strict=True):
            exposure = self._catalog.exposures[table.things[row]]
            entry, node = exposure.entry, exposure.node.key if exposure.node else ALL_REQUESTS
            key = ExposureKey(entry.service, entry.name, node, entry.environment, bucket.start_s, self._writer)
            self._exposures[key] = ExposureCounts._make((*numbers, sketch))

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
