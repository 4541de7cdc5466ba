"""Tallies to a ``GraphDelta``: what changed since the last drain, as absolute values of the writer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from whence.fold.buckets import Buckets
from whence.fold.catalog import Entry, Node
from whence.fold.tallies import Bucket, EdgeTally, ExposureTally, OperationTally
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
from whence.model.sketch import encode


class Seen(NamedTuple):
    """When something was seen, in UTC nanoseconds, and when we learned of it."""

    first_ns: int
    last_ns: int
    known_ns: int


class Drain:
    """One drain: collects rows bucket by bucket. Make one, use it once."""

    def __init__(self, writer: str, nodes: list[Node]) -> None:
        self._writer = writer
        self._nodes = nodes
        self._touched: dict[int, tuple[Node, ...]] = {}
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
        for operation, tally in bucket.operations.items():
            if tally.drained == tally.spans:
                continue
            tally.drained = tally.spans
            node = operation.node
            key = OperationKey(node.key, operation.name, operation.environment, bucket.start_s, self._writer)
            self._operations[key] = _operation_counts(tally)
            self._add_node(node, operation.environment, Seen(tally.first_ns, tally.last_ns, operation.known_ns))

    def _add_edges(self, bucket: Bucket) -> None:
        for edge, tally in bucket.edges.items():
            if tally.drained == tally.spans:
                continue
            tally.drained = tally.spans
            self._edges[EdgeKey(edge.key, bucket.start_s, self._writer)] = _edge_counts(tally)
            seen = Seen(tally.first_ns, tally.last_ns, edge.known_ns)
            self._add_relation(edge.key, seen)
            self._add_node(edge.far, edge.key.environment, seen)

    def _add_exposures(self, bucket: Bucket) -> None:
        """Spread requests that touched sets of nodes over the single nodes."""
        changed: dict[tuple[Entry, Node | None], ExposureTally] = {}
        for (entry, mask), tally in bucket.incoming.items():
            for node in (None, *self._nodes_of(mask)):
                single = bucket.exposures.get((entry, node))
                if single is None:
                    single = bucket.exposures[entry, node] = ExposureTally()
                single.add(tally)
                changed[entry, node] = single
        bucket.incoming.clear()
        for (entry, node), single in changed.items():
            node_key = node.key if node else ALL_REQUESTS
            key = ExposureKey(entry.service, entry.name, node_key, entry.environment, bucket.start_s, self._writer)
            self._exposures[key] = _exposure_counts(single)

    def _nodes_of(self, mask: int) -> tuple[Node, ...]:
        nodes = self._touched.get(mask)
        if nodes is None:
            nodes = self._touched[mask] = tuple(self._nodes[bit] for bit in _bits_of(mask))
        return nodes

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


def _bits_of(mask: int) -> Iterable[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _operation_counts(tally: OperationTally) -> OperationCounts:
    return OperationCounts(
        spans=tally.spans,
        calls=tally.calls,
        errors=tally.errors,
        origin_errors=tally.origin_errors,
        error_logs=tally.error_logs,
        poor=tally.poor,
        self_time=encode(tally.self_time),
    )


def _edge_counts(tally: EdgeTally) -> EdgeCounts:
    return EdgeCounts(
        spans=tally.spans,
        calls=tally.calls,
        errors=tally.errors,
        origin_errors=tally.origin_errors,
        latency=encode(tally.latency),
        gap=encode(tally.gap),
    )


def _exposure_counts(tally: ExposureTally) -> ExposureCounts:
    return ExposureCounts(
        spans=tally.spans,
        requests=tally.requests,
        requests_sq=tally.requests_sq,
        errors=tally.errors,
        poor=tally.poor,
        latency=encode(tally.latency),
    )
