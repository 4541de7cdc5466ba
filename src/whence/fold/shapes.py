"""What is known of shapes, as columns: one position for each shape, by its number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from whence.fold.catalog import Catalog, Edge, Shape
from whence.fold.tables import Bools, Ints

WORD_BITS = 64
Words = NDArray[np.uint64]

_NUMBERS: dict[str, Callable[[Shape], int]] = {
    "operation": lambda shape: shape.operation.number,
    "origin": lambda shape: shape.origin.number,
    "entry": lambda shape: shape.entry.number,
    "peer_edge": lambda shape: shape.peer.number if shape.peer else -1,
    "peer_bit": lambda shape: shape.peer.far.bit.bit_length() - 1 if shape.peer else -1,
}
_FLAGS: dict[str, Callable[[Shape], bool]] = {
    "is_caller": lambda shape: shape.is_caller,
    "is_consumer": lambda shape: shape.is_consumer,
    "is_producer": lambda shape: shape.is_producer,
    "takes_messages": lambda shape: shape.takes_messages,
    "poor": lambda shape: shape.poor,
    "has_edges": lambda shape: bool(shape.edges),
    "has_made": lambda shape: bool(shape.made),
    "has_used": lambda shape: bool(shape.used),
    "has_standing": lambda shape: bool(shape.standing),
}


class ShapeColumns:
    """Columns that follow a catalog: ``update`` takes in the shapes that are new."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._size = 0
        self.numbers: dict[str, Ints] = {name: np.zeros(0, np.int64) for name in _NUMBERS}
        self.flags: dict[str, Bools] = {name: np.zeros(0, np.bool_) for name in _FLAGS}
        self.service: Ints = np.zeros(0, np.int64)
        """By number of the origin."""
        self._services: dict[str, int] = {}
        self.masks: Words = np.zeros((0, 1), np.uint64)
        """Bits of the nodes that a span touches by itself, one row for each shape."""
        self.edges = EdgeLists()
        self.standing = EdgeLists()

    def update(self) -> None:
        """Take in new shapes, origins and nodes."""
        new = self._catalog.shapes[self._size :]
        words = len(self._catalog.nodes) // WORD_BITS + 1
        if words > self.masks.shape[1]:
            self.masks = np.pad(self.masks, ((0, 0), (0, 2 * words - self.masks.shape[1])))
        if not new:
            return
        for name, number_of in _NUMBERS.items():
            self.numbers[name] = np.append(self.numbers[name], [number_of(shape) for shape in new])
        for name, flag_of in _FLAGS.items():
            self.flags[name] = np.append(self.flags[name], [flag_of(shape) for shape in new])
        self.masks = np.vstack((self.masks, [self._row(shape.mask) for shape in new]))
        for shape in new:
            self.edges.append(shape.edges)
            self.standing.append(shape.standing)
        services = self._services
        origins = self._catalog.origins[len(self.service) :]
        found = [services.setdefault(origin.service, len(services)) for origin in origins]
        self.service = np.append(self.service, found).astype(np.int64)
        self._size += len(new)

    def _row(self, mask: int) -> Words:
        return np.frombuffer(mask.to_bytes(self.masks.shape[1] * 8, "little"), np.uint64)


class EdgeLists:
    """A list of edges for each shape, end to end."""

    def __init__(self) -> None:
        self._edges: list[int] = []
        self._starts: list[int] = []
        self._counts: list[int] = []
        self._arrays: tuple[Ints, Ints, Ints] | None = None

    def append(self, edges: Sequence[Edge]) -> None:
        """The list of the next shape; of several edges to one node, one counts."""
        own = list({edge.far.bit: edge.number for edge in reversed(edges)}.values())
        self._starts.append(len(self._edges))
        self._counts.append(len(own))
        self._edges += own
        self._arrays = None

    def spread(self, spans: Ints, shapes: Ints) -> tuple[Ints, Ints]:
        """For spans and their shapes: each span as often as it has edges, and beside it those edges."""
        edges, starts, counts = self._columns()
        times = counts[shapes]
        first = np.repeat(starts[shapes] - (np.cumsum(times) - times), times)
        return np.repeat(spans, times), edges[first + np.arange(len(first))]

    def _columns(self) -> tuple[Ints, Ints, Ints]:
        if self._arrays is None:
            lists = (self._edges, self._starts, self._counts)
            edges, starts, counts = (np.array(one, np.int64) for one in lists)
            self._arrays = edges, starts, counts
        return self._arrays
