"""The spans of many closed traces as columns: who is whose parent, and what that makes of each.

A span of another service version than its parent is *remote*: a call between the two. A remote span of another service,
or one whose parent is unknown, is an *entry*: a request into its service. A consumer of messages does not belong under
the producer that it descends from: the producer does not wait for it and does not depend on it. All other children are
*waited for*: their time, their errors and what they touched are part of their parent's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from whence.fold.catalog import Catalog
from whence.fold.shapes import ShapeColumns
from whence.fold.tables import Bools, Floats, Ints
from whence.fold.traces import ClosedTrace
from whence.model.spans import Span

_MAX_DOUBLINGS = 24
_MAX_OFFSET = 2**62


class Forest:
    """Columns by position of a span; the parent of a span without one is the position after the last."""

    def __init__(self, traces: Sequence[ClosedTrace], catalog: Catalog, columns: ShapeColumns) -> None:
        spans = [span for trace in traces for span in trace.spans]
        by_field: list[tuple[Any, ...]] = list(zip(*spans, strict=True))
        sizes = [len(trace.spans) for trace in traces]
        self.spans = spans
        self.trace: Ints = np.repeat(np.arange(len(traces)), sizes)
        self.known_ns: Ints = np.repeat([trace.due_ns for trace in traces], sizes)
        """When the trace of a span was closed."""
        self.shape = _shapes(by_field, self.known_ns, catalog)
        columns.update()
        self.parent = _parents(by_field[1], by_field[2], self.trace)
        self.start_ns: Ints = np.array(by_field[5], np.int64)
        self.end_ns: Ints = np.array(by_field[6], np.int64)
        self.is_error: Bools = np.array(by_field[7], np.bool_)
        self.weight: Floats = np.array(by_field[8], np.float64)
        self.duration_ns: Ints = self.end_ns - self.start_ns
        self.depth = _depths(self.parent, spans)
        self._sort_children(columns)

    def flags(self, columns: ShapeColumns, name: str) -> Bools:
        """A flag of the spans' shapes."""
        return columns.flags[name][self.shape]

    def levels(self) -> Iterator[tuple[Ints, Ints]]:
        """Spans and their positions among the waited-for children, from the deepest level to the roots."""
        order = np.argsort(self.depth, kind="stable")
        deepest = int(self.depth.max())
        bounds = np.searchsorted(self.depth[order], np.arange(deepest + 2))
        waited_depth = self.depth[self.waited]
        waited_order = np.argsort(waited_depth, kind="stable")
        waited_bounds = np.searchsorted(waited_depth[waited_order], np.arange(deepest + 2))
        for depth in range(deepest, -1, -1):
            spans = order[bounds[depth] : bounds[depth + 1]]
            yield spans, waited_order[waited_bounds[depth] : waited_bounds[depth + 1]]

    def self_ns(self) -> Ints:
        """Time of each span that no child it waits for covers. Children may overlap and, by their clocks, stick out."""
        own = self.duration_ns.copy()
        if not self.waited.size:
            return own
        order = np.lexsort((self.start_ns[self.waited], self.parent[self.waited]))
        children = self.waited[order]
        parents = self.parent[children]
        firsts = np.flatnonzero(np.r_[True, parents[1:] != parents[:-1]])
        lengths = self.duration_ns[parents]
        low = np.clip(self.start_ns[children] - self.start_ns[parents], 0, lengths)
        high = np.clip(self.end_ns[children] - self.start_ns[parents], 0, lengths)
        own[parents[firsts]] -= np.add.reduceat(_uncovered(low, high, firsts), firsts)
        return own

    def _sort_children(self, columns: ShapeColumns) -> None:
        none = len(self.spans)
        children = np.flatnonzero(self.parent != none)
        parents = self.parent[children]
        origin = columns.numbers["origin"][self.shape]
        consumer, producer = self.flags(columns, "is_consumer"), self.flags(columns, "is_producer")
        same = origin[children] == origin[parents]
        apart = consumer[children] & (~same | producer[parents])
        self.roots: Ints = np.flatnonzero(self.parent == none)
        self.waited: Ints = children[~apart]
        self.is_own: Bools = same[~apart]
        """Of ``waited``: children in the same service version."""
        self.remote: Ints = children[~apart & ~same]
        self.delivered: Ints = children[apart & ~same]
        """Messages that arrived in another service version."""
        self.redelivered: Ints = children[apart & same]
        """Messages that a service version sent to itself."""


def _shapes(by_field: list[tuple[Any, ...]], known_ns: Ints, catalog: Catalog) -> Ints:
    """Numbers of the spans' shapes."""
    kinds, names, sources, facts = by_field[3], by_field[4], by_field[9], by_field[10]
    numbers = list(map(catalog.by_identity.get, zip(map(id, sources), map(id, facts), names, kinds, strict=True)))
    if None in numbers:
        for at, number in enumerate(numbers):
            if number is None:
                catalog.clock_ns = int(known_ns[at])
                numbers[at] = catalog.shape(sources[at], facts[at], names[at], kinds[at]).number
    return np.array(numbers, np.int64)


def _parents(ids: Sequence[bytes], parent_ids: Sequence[bytes], trace: Ints) -> Ints:
    """Positions of the spans' parents, which are in the same trace or not at all."""
    none = len(ids)
    positions = dict(zip(ids, range(none), strict=True))
    if len(positions) == none:
        found = np.array(list(map(positions.get, parent_ids, repeat(none))), np.int64)
        return np.where(np.r_[trace, -1][found] == trace, found, none)
    numbers = trace.tolist()
    by_trace = {key: at for at, key in enumerate(zip(numbers, ids, strict=True))}
    return np.array([by_trace.get(key, none) for key in zip(numbers, parent_ids, strict=True)], np.int64)


def _depths(parent: Ints, spans: list[Span]) -> Ints:
    """How many ancestors each span has, by doubling. Circles, which broken propagation can make, are cut open."""
    none = len(parent)
    for _ in range(none + 1):
        depth: Ints = np.r_[parent != none, False].astype(np.int64)
        ancestor = np.r_[parent, none]
        for _ in range(_MAX_DOUBLINGS):
            if (ancestor == none).all():
                return depth[:none]
            depth += depth[ancestor]
            ancestor = ancestor[ancestor]
        _cut_circle(parent, spans, int(ancestor[ancestor != none][0]))
    raise AssertionError("each cut opens a circle, and there are no more circles than spans")


def _cut_circle(parent: Ints, spans: list[Span], inside: int) -> None:
    """Make one span of a circle a root: the one of least id, so that the order of arrival has no say in it."""
    circle = [inside]
    while parent[circle[-1]] != inside:
        circle.append(int(parent[circle[-1]]))
    root = min(circle, key=lambda at: spans[at].span_id)
    parent[root] = len(parent)
    spans[root] = spans[root]._replace(parent_id=b"")


def _uncovered(low: Ints, high: Ints, firsts: Ints) -> Ints:
    """Of intervals sorted by group and start: what each adds to those before it in its group."""
    step = int(high.max()) + 1
    if step > _MAX_OFFSET // (len(firsts) + 1):  # durations of years: no room to lay the groups out side by side
        bounds = zip(firsts.tolist(), [*firsts[1:].tolist(), len(low)], strict=True)
        return np.concatenate([_added(low[first:end], high[first:end]) for first, end in bounds])
    group = np.zeros(len(low), np.int64)
    group[firsts[1:]] = 1
    offset = np.cumsum(group) * step
    reach = np.maximum.accumulate(high + offset)
    before = np.maximum(np.r_[0, reach[:-1]], offset)
    covered: Ints = np.maximum(high + offset - np.maximum(low + offset, before), 0)
    return covered


def _added(low: Ints, high: Ints) -> Ints:
    """The same for one group."""
    before = np.r_[0, np.maximum.accumulate(high)[:-1]]
    covered: Ints = np.maximum(high - np.maximum(low, before), 0)
    return covered
