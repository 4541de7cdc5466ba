"""The compiled folder in the place of ``SpanFolder``. Import it only where ``whence._native`` is there.

It holds open traces and counts; what there is to count is in the same catalog as on the portable path, which it asks
about each thing once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from whence import _native
from whence.fold.catalog import Catalog, Edge, Node, Shape
from whence.fold.folder import NO_OPERATION
from whence.fold.rows import ChangedBucket, Drain, Seen
from whence.fold.stats import FoldStats
from whence.fold.tables import ChangedRow
from whence.model.delta import GraphDelta, RelationKey
from whence.model.kinds import RelationType
from whence.model.spans import ErrorLog, Facts, Source, Span

_EdgeNumbers = tuple[int, int]
"""An edge and the node at its far end."""


class Described(NamedTuple):
    """A shape in numbers; see ``catalog.Shape``."""

    number: int
    operation: int
    origin: int
    service: str
    entry: int
    peer: _EdgeNumbers | None
    poor: bool
    takes_messages: bool
    nodes: list[int]
    edges: list[_EdgeNumbers]
    standing: list[_EdgeNumbers]
    used: list[int]
    made: list[int]


class NumberedCatalog:
    """A writer's catalog as the compiled folder asks about it."""

    def __init__(self) -> None:
        self.catalog = Catalog()

    def shape(self, what: tuple[Source, Facts, str, int], known_ns: int) -> Described:
        """The shape of spans of this source, facts, operation and kind."""
        self.catalog.clock_ns = known_ns
        return _described(self.catalog.shape(*what))

    def calls(self, near: int, far: int, known_ns: int) -> int:
        """Number of the relation from a caller's origin to its callee's."""
        return self._between(near, RelationType.CALLS, far, known_ns)

    def consumes(self, near: int, far: int, known_ns: int) -> int:
        """Number of the relation from a consumer's origin to its producer's."""
        return self._between(near, RelationType.CONSUMES, far, known_ns)

    def _between(self, near: int, kind: RelationType, far: int, known_ns: int) -> int:
        self.catalog.clock_ns = known_ns
        origins = self.catalog.origins
        return self.catalog.edge(origins[near], kind, origins[far].node).number


class NativeFolder:
    """Does what ``SpanFolder`` does, and gives the same rows."""

    def __init__(self, *, writer: str, bucket_s: int = 15, idle_ns: int, ttl_ns: int, max_open_spans: int) -> None:
        self._writer = writer
        self._now_ns = 0
        self._things = NumberedCatalog()
        self._folder = _native.Folder(self._things, bucket_s, idle_ns, ttl_ns, max_open_spans)

    def push(self, spans: _native.Batch | Sequence[Span], now_ns: int) -> None:
        """See ``SpanFolder.push``; takes the spans of the compiled reader too."""
        batch = spans if isinstance(spans, _native.Batch) else _native.Batch.of(spans)
        self._folder.push(batch, self._moved(now_ns))

    def push_logs(self, logs: Sequence[ErrorLog], now_ns: int) -> None:
        """See ``SpanFolder.push_logs``."""
        self.expire(now_ns)
        catalog = self._things.catalog
        catalog.clock_ns = self._now_ns
        for log in logs:
            operation = catalog.operation(catalog.origin(log.source), NO_OPERATION)
            self._folder.push_log(operation.number, log.time_ns)

    def expire(self, now_ns: int) -> None:
        """See ``SpanFolder.expire``."""
        self._folder.expire(self._moved(now_ns))

    def drain(self, now_ns: int) -> GraphDelta:
        """See ``SpanFolder.drain``."""
        changed, derived, examples = self._folder.drain(self._moved(now_ns))
        catalog = self._things.catalog
        buckets = (
            ChangedBucket(start_s, operations, edges, _exposures(catalog, exposures))
            for start_s, operations, edges, exposures in changed
        )
        return Drain(self._writer, catalog).run(buckets, _derivations(catalog, derived), examples)

    def roll(self, writer: str) -> None:
        """See ``SpanFolder.roll``."""
        fresh = NumberedCatalog()
        self._folder.roll(fresh)
        self._writer, self._things = writer, fresh

    def open_spans(self) -> list[Span]:
        """See ``SpanFolder.open_spans``."""
        return self.open_batch().spans()

    def open_batch(self) -> _native.Batch:
        """The same spans, as the compiled code has them."""
        return self._folder.open_spans()

    def restore(self, spans: Sequence[Span], now_ns: int) -> None:
        """See ``SpanFolder.restore``."""
        self._folder.restore(_native.Batch.of(spans), self._moved(now_ns))

    @property
    def stats(self) -> FoldStats:
        """Totals so far."""
        return FoldStats(*self._folder.stats())

    def _moved(self, now_ns: int) -> int:
        self._now_ns = max(self._now_ns, now_ns)
        return self._now_ns


def _described(shape: Shape) -> Described:
    nodes = [shape.origin.node]
    nodes += [edge.far for edge in (*shape.edges, *shape.standing) if edge.key.type is not RelationType.PRODUCED_BY]
    return Described(
        number=shape.number,
        operation=shape.operation.number,
        origin=shape.origin.number,
        service=shape.origin.service,
        entry=shape.entry.number,
        peer=_numbers(shape.peer) if shape.peer else None,
        poor=shape.poor,
        takes_messages=shape.takes_messages,
        nodes=list(map(_number, nodes)),
        edges=list(map(_numbers, shape.edges)),
        standing=list(map(_numbers, shape.standing)),
        used=list(map(_number, shape.used)),
        made=list(map(_number, shape.made)),
    )


def _number(node: Node) -> int:
    return node.bit.bit_length() - 1


def _numbers(edge: Edge) -> _EdgeNumbers:
    return edge.number, _number(edge.far)


def _exposures(catalog: Catalog, changed: Iterable[_native.ChangedExposure]) -> Iterator[ChangedRow]:
    for (entry, node), counts, first_ns, last_ns in changed:
        yield ChangedRow(catalog.exposure(entry, node - 1), counts, first_ns, last_ns)


def _derivations(catalog: Catalog, derived: Iterable[_native.Derived]) -> Iterator[tuple[RelationKey, Seen]]:
    nodes = catalog.nodes
    for made, source, origin, first_ns, last_ns, known_ns in derived:
        environment = catalog.origins[origin].environment
        key = RelationKey(nodes[made].key, RelationType.DERIVED_FROM, nodes[source].key, environment)
        yield key, Seen(first_ns, last_ns, known_ns)
