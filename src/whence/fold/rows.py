"""Tallies to a ``GraphDelta``: what changed since the last drain, as absolute values of the writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from whence.fold.catalog import Catalog, Node
from whence.fold.tables import ChangedRow
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
    """One drain: collects rows bucket by bucket. Make one, use it once.

    A node or relation is seen in many rows, and becomes one row itself when all of those are known.
    """

    def __init__(self, writer: str, catalog: Catalog) -> None:
        self._writer = writer
        self._catalog = catalog
        self._nodes: dict[tuple[Node, str], Seen] = {}
        """By node and environment."""
        self._related: dict[RelationKey, Seen] = {}
        self._entities: dict[str, Entity] = {}
        self._edges: dict[EdgeKey, EdgeCounts] = {}
        self._operations: dict[OperationKey, OperationCounts] = {}
        self._exposures: dict[ExposureKey, ExposureCounts] = {}

    def run(
        self,
        buckets: Iterable[ChangedBucket],
        derivations: Iterable[tuple[RelationKey, Seen]],
        examples: Mapping[int, tuple[int, bytes]],
    ) -> GraphDelta:
        """All of these as rows; ``examples`` by number of the relation."""
        for bucket in buckets:
            self._add_operations(bucket)
            self._add_edges(bucket)
            self._add_exposures(bucket)
        for key, seen in derivations:
            _join(self._related, key, seen)
            for end in (key.src, key.dst):  # no request may have entered that would have counted what the process uses
                _join(self._nodes, (self._catalog.known(end), key.environment), seen)
        for (node, environment), seen in self._nodes.items():
            self._add_node(node, environment, seen)
        relations = {key: _relation(key, seen) for key, seen in self._related.items()}
        edges = self._catalog.edges
        traces = {edges[edge].key: Example(at_ns, trace.hex()) for edge, (at_ns, trace) in examples.items()}
        return GraphDelta(self._entities, relations, self._edges, self._operations, self._exposures, examples=traces)

    def _add_operations(self, bucket: ChangedBucket) -> None:
        for number, counts, first_ns, last_ns in bucket.operations:
            operation = self._catalog.operations[number]
            node, environment = operation.node, operation.environment
            key = OperationKey(node.key, operation.name, environment, bucket.start_s, self._writer)
            self._operations[key] = OperationCounts._make(counts)
            _join(self._nodes, (node, environment), Seen(first_ns, last_ns, operation.known_ns))

    def _add_edges(self, bucket: ChangedBucket) -> None:
        for number, counts, first_ns, last_ns in bucket.edges:
            edge = self._catalog.edges[number]
            self._edges[EdgeKey(edge.key, bucket.start_s, self._writer)] = EdgeCounts._make(counts)
            seen = Seen(first_ns, last_ns, edge.known_ns)
            _join(self._related, edge.key, seen)
            _join(self._nodes, (edge.far, edge.key.environment), seen)

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
            _join(self._related, RelationKey(node.base, RelationType.HAS_VERSION, node.key, environment), seen)

    def _add_entity(self, key: str, kind: EntityKind, base: str, seen: Seen, attributes: dict[str, str]) -> None:
        known = tuple(Attribute(name, value, seen.last_ns) for name, value in sorted(attributes.items()))
        entity = Entity(key, kind, base, seen.first_ns, seen.last_ns, known)
        present = self._entities.get(key)
        self._entities[key] = merge_entity(present, entity) if present else entity


def _relation(key: RelationKey, seen: Seen) -> Relation:
    active_until_ns = FOREVER_NS if key.type.is_lasting else seen.last_ns
    return Relation(key, seen.first_ns, seen.last_ns, active_until_ns, seen.known_ns)


K = TypeVar("K")


def _join(sightings: dict[K, Seen], key: K, seen: Seen) -> None:
    present = sightings.get(key)
    if present is not None:
        first_ns, last_ns = min(present.first_ns, seen.first_ns), max(present.last_ns, seen.last_ns)
        seen = Seen(first_ns, last_ns, min(present.known_ns, seen.known_ns))
    sightings[key] = seen
