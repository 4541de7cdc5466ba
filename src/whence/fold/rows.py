"""Counts to a ``GraphDelta``: what changed since the last drain, as absolute values of the writer."""

from __future__ import annotations

from whence.fold.buckets import Bucket, Buckets, Page
from whence.fold.catalog import Catalog, Edge, Entry, Node, Operation, Shape, Sightings, bits_of
from whence.fold.exposure import spread
from whence.fold.tallies import Tally, number_of
from whence.model.delta import (
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
from whence.model.kinds import FOREVER_NS, RelationType
from whence.model.sketch import encode


class Drain:
    """One drain. Make one, ``run`` it once."""

    def __init__(self, writer: str, catalog: Catalog, buckets: Buckets) -> None:
        self._writer = writer
        self._catalog = catalog
        self._buckets = buckets
        self._entities: dict[str, Entity] = {}
        self._relations: dict[RelationKey, Relation] = {}
        self._seen: dict[tuple[Node, str], Sightings] = {}
        self._counted: dict[tuple[int, Operation | Edge], Tally] = {}
        self._exposures: dict[tuple[int, Entry, Node], Tally] = {}

    def run(self) -> GraphDelta:
        """Everything that changed; afterwards nothing has."""
        for (number, weight), page in self._buckets.pages.items():
            bucket = self._buckets.bucket(number)
            self._add_counts(bucket, page, weight)
            self._add_requests(bucket, page, weight)
        for (number, operation), count in self._buckets.logs.items():
            self._tally(self._buckets.bucket(number), operation).add_logs(count)
        self._add_sightings()
        self._buckets.pages.clear()
        self._buckets.logs.clear()
        self._buckets.derivations.clear()
        return self._delta()

    def _add_counts(self, bucket: Bucket, page: Page, weight: float) -> None:
        counted = self._catalog.counted
        for code, count in page.counts.items():
            thing = counted[number_of(code)]
            tally = self._tally(bucket, thing)
            if isinstance(thing, Edge) and code >= thing.gap_code:
                tally.add_gap(code, count, weight)
            else:
                tally.add(code, count, weight)

    def _tally(self, bucket: Bucket, thing: Operation | Edge) -> Tally:
        """The tally of something, noted as changed."""
        tally = bucket.counted.get(thing)
        if tally is None:
            tally = bucket.counted[thing] = Tally()
        self._counted[bucket.start_s, thing] = tally
        return tally

    def _add_requests(self, bucket: Bucket, page: Page, weight: float) -> None:
        by_entry: dict[Entry, list[tuple[int, int]]] = {}
        for entry, mask, code in page.requests:
            by_entry.setdefault(entry, []).append((mask, code))
        nodes = self._catalog.nodes
        for entry, requests in by_entry.items():
            for bit, code, count in spread(requests):
                node = nodes[bit]
                tally = bucket.exposures.get((entry, node))
                if tally is None:
                    tally = bucket.exposures[entry, node] = Tally()
                tally.add(code, count, weight)
                self._exposures[bucket.start_s, entry, node] = tally

    def _add_sightings(self) -> None:
        """When nodes and relations were seen, where that widened."""
        for shape in self._catalog.shapes.values():
            if shape.changed():
                self._see(shape.origin.node, shape.origin.environment, shape)
        for origin in self._catalog.origins.values():
            if origin.changed():
                self._see(origin.node, origin.environment, origin)
        for edge in self._catalog.edges.values():
            if edge.changed():
                self._add_relation(edge.key, edge)
                self._see(edge.far, edge.key.environment, edge)
        for (shape, used), seen in self._buckets.derivations.items():
            self._add_derivations(shape, used, seen)
        for (node, environment), seen in self._seen.items():
            self._add_node(node, environment, seen)

    def _see(self, node: Node, environment: str, seen: Sightings) -> None:
        total = self._seen.get((node, environment))
        if total is None:
            total = self._seen[node, environment] = Sightings(seen.known_ns)
        total.known_ns = min(total.known_ns, seen.known_ns)
        total.see(seen.first_ns, seen.last_ns)

    def _add_derivations(self, shape: Shape, used: int, seen: Sightings) -> None:
        sources = (self._catalog.nodes[bit] for bit in bits_of(used))
        for source in sources:
            for made in shape.made:
                if made is not source:
                    key = RelationKey(made.key, RelationType.DERIVED_FROM, source.key, shape.origin.environment)
                    self._add_relation(key, seen)

    def _add_node(self, node: Node, environment: str, seen: Sightings) -> None:
        """A node, and what it is a version of."""
        known = tuple(Attribute(name, value, seen.last_ns) for name, value in sorted(node.attributes.items()))
        self._add_entity(Entity(node.key, node.kind, node.base, seen.first_ns, seen.last_ns, known))
        if node.key != node.base:
            self._add_entity(Entity(node.base, node.base_kind, node.base, seen.first_ns, seen.last_ns))
            self._add_relation(RelationKey(node.base, RelationType.HAS_VERSION, node.key, environment), seen)

    def _add_entity(self, entity: Entity) -> None:
        present = self._entities.get(entity.key)
        self._entities[entity.key] = merge_entity(present, entity) if present else entity

    def _add_relation(self, key: RelationKey, seen: Sightings) -> None:
        active_until_ns = FOREVER_NS if key.type.is_lasting else seen.last_ns
        relation = Relation(key, seen.first_ns, seen.last_ns, active_until_ns, seen.known_ns)
        present = self._relations.get(key)
        self._relations[key] = merge_relation(present, relation) if present else relation

    def _delta(self) -> GraphDelta:
        edges: dict[EdgeKey, EdgeCounts] = {}
        operations: dict[OperationKey, OperationCounts] = {}
        for (start_s, thing), tally in self._counted.items():
            if isinstance(thing, Edge):
                edges[EdgeKey(thing.key, start_s, self._writer)] = _edge_counts(tally)
            else:
                key = OperationKey(thing.node.key, thing.name, thing.environment, start_s, self._writer)
                operations[key] = _operation_counts(tally)
        exposures = {
            ExposureKey(entry.service, entry.name, node.key, entry.environment, start_s, self._writer): _exposure(tally)
            for (start_s, entry, node), tally in self._exposures.items()
        }
        return GraphDelta(self._entities, self._relations, edges, operations, exposures)


def _operation_counts(tally: Tally) -> OperationCounts:
    return OperationCounts(
        spans=tally.spans,
        calls=tally.weight,
        errors=tally.errors,
        origin_errors=tally.origin_errors,
        error_logs=tally.error_logs,
        poor=tally.poor,
        self_time=encode(tally.times),
    )


def _edge_counts(tally: Tally) -> EdgeCounts:
    return EdgeCounts(
        spans=tally.spans,
        calls=tally.weight,
        errors=tally.errors,
        origin_errors=tally.origin_errors,
        latency=encode(tally.times),
        gap=encode(tally.gaps),
    )


def _exposure(tally: Tally) -> ExposureCounts:
    return ExposureCounts(
        spans=tally.spans,
        requests=tally.weight,
        requests_sq=tally.weight_sq,
        errors=tally.errors,
        poor=tally.poor,
        latency=encode(tally.times),
    )
