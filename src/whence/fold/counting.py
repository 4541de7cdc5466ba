"""Closed traces to counts: who called whom, what each did by itself, and what every request into a service touched.

How this works: the spans of many traces become columns (``forest``). What is known of a span only when all below it is
known is worked out level by level from the deepest, all spans of a level at once. Then every kind of count takes its
columns and adds them to the tables of the buckets of time that the spans start in.

Where a consumer of messages states no topic, a ``CONSUMES`` relation from the consumer to the producer ties the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from whence.fold.buckets import Buckets
from whence.fold.catalog import Catalog, Node
from whence.fold.forest import Forest
from whence.fold.shapes import WORD_BITS, ShapeColumns, Words
from whence.fold.stats import Totals
from whence.fold.tables import GAP, Additions, Bools, Floats, Ints, sketch_indices
from whence.fold.traces import ClosedTrace
from whence.model.kinds import RelationType
from whence.model.spans import SpanKind

_NOT_ENTERED = frozenset({SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER})
"""Kinds whose parent is in the same process: when it is missing, it was lost, and no request came in here."""
_NO_SPANS = np.zeros(0, np.int64)


class TraceCounter:
    """Adds closed traces to the tables of a writer."""

    def __init__(self, catalog: Catalog, buckets: Buckets, totals: Totals) -> None:
        self._catalog = catalog
        self._buckets = buckets
        self._totals = totals
        self._columns = ShapeColumns(catalog)

    def count(self, traces: Sequence[ClosedTrace]) -> None:
        """Count all spans of some traces, each of another id within its trace. Cost: about 3 µs for each span."""
        if traces:
            forest = Forest(traces, self._catalog, self._columns)
            _Count(forest, self._catalog, self._columns, self._buckets, self._totals).run()


class _Count:
    """One batch on its way into the tables."""

    def __init__(
        self, forest: Forest, catalog: Catalog, columns: ShapeColumns, buckets: Buckets, totals: Totals
    ) -> None:
        self._forest = forest
        self._catalog = catalog
        self._columns = columns
        self._buckets = buckets
        self._totals = totals
        self._number = forest.start_ns // buckets.width_ns
        errored = forest.waited[forest.is_error[forest.waited]]
        has_errored_child = np.zeros(len(forest.spans) + 1, np.bool_)
        has_errored_child[forest.parent[errored]] = True
        self._is_origin: Bools = forest.is_error & ~has_errored_child[:-1]
        callers = forest.parent[forest.remote]
        alone = np.bincount(callers, minlength=len(forest.spans))[callers] == 1
        self._sees_alone: Bools = forest.flags(columns, "is_caller")[callers] & alone
        """Of ``forest.remote``: calls that their caller saw too; what its span is longer was lost on the way."""
        self._edges: list[tuple[Ints, Ints, Ints]] = []
        """Columns of things to count over relations: edges, spans, latencies in nanoseconds."""
        self._gaps: list[tuple[Ints, Ints, Ints]] = []
        """Columns of time that callers lost over relations: edges, spans, indices of sketches."""
        self._self_time: Ints = sketch_indices(forest.self_ns() // 1000)

    def run(self) -> None:
        """Count everything."""
        self._climb()
        self._count_operations()
        self._count_calls()
        self._count_stated()
        entries = self._entries()
        self._count_requests(entries)
        self._count_standing(entries)
        self._add_edges()
        self._derive()

    def _climb(self) -> None:
        """Work out what lies at or below each span: nodes, poor outcomes, and whether it got anywhere."""
        forest, columns = self._forest, self._columns
        self._masks: Words = columns.masks[forest.shape]
        self._poor: Bools = forest.flags(columns, "poor").copy()
        has_edges = forest.flags(columns, "has_edges")
        reaches = has_edges.copy()
        reaches[forest.parent[forest.remote]] = True
        self._states_below: Bools = np.zeros(len(forest.spans), np.bool_)
        """Whether a span inside it, in the same service version, states what it touched."""
        waits_in_vain = forest.flags(columns, "is_caller") & ~has_edges
        outward = [_NO_SPANS]
        for spans, at in forest.levels():
            lost = spans[waits_in_vain[spans] & ~reaches[spans]]
            if lost.size:
                outward.append(lost)
                self._reach_peers(lost, reaches)
            children, is_own = forest.waited[at], forest.is_own[at]
            parents = forest.parent[children]
            self._poor[parents[self._poor[children]]] = True
            own, own_parents = children[is_own], parents[is_own]
            reaches[own_parents[reaches[own]]] = True
            self._states_below[own_parents[has_edges[own] | self._states_below[own]]] = True
            _or_into(self._masks, parents, self._masks[children])
        self._count_outward(np.concatenate(outward))

    def _reach_peers(self, spans: Ints, reaches: Bools) -> None:
        bits = self._columns.numbers["peer_bit"][self._forest.shape[spans]]
        named, bits = spans[bits >= 0], bits[bits >= 0]
        reaches[named] = True
        self._masks[named, bits // WORD_BITS] |= np.uint64(1) << (bits % WORD_BITS).astype(np.uint64)

    def _count_outward(self, spans: Ints) -> None:
        """Client spans that nobody answered: the peers that they name, if any."""
        edges = self._columns.numbers["peer_edge"][self._forest.shape[spans]]
        named = edges >= 0
        self._totals.unpaired_callers += int((~named).sum())
        self._over(edges[named], spans[named], self._forest.duration_ns[spans[named]])
        self._gaps.append((edges[named], spans[named], self._self_time[spans[named]]))

    def _count_operations(self) -> None:
        forest = self._forest
        weight = forest.weight
        # What a call lost on the way, or at somebody who tells nothing, is the relation's gap, not its own time.
        timed = weight.copy()
        timed[forest.parent[forest.remote[self._sees_alone]]] = 0.0
        for _, spans, _ in self._gaps:
            timed[spans] = 0.0
        things = self._columns.numbers["operation"][forest.shape]
        poor = forest.flags(self._columns, "poor")
        numbers = (weight, weight * forest.is_error, weight * self._is_origin, np.zeros_like(weight), weight * poor)
        for number, spans in _by_bucket(self._number):
            chosen = tuple(column[spans] for column in numbers)
            times = forest.start_ns[spans], forest.end_ns[spans]
            table = self._buckets.numbered(number).operations
            table.add(Additions(things[spans], *times, chosen, self._self_time[spans], timed[spans]))

    def _count_calls(self) -> None:
        """Calls between service versions, and messages between those that name no topic."""
        forest = self._forest
        callees, callers = forest.remote, forest.parent[forest.remote]
        seen_by_caller = self._sees_alone
        latency = np.where(seen_by_caller, forest.duration_ns[callers], forest.duration_ns[callees])
        edges = self._calls(callers, callees, RelationType.CALLS)
        self._over(edges, callees, latency)
        paired = callees[seen_by_caller]
        lost_ns = forest.duration_ns[callers[seen_by_caller]] - forest.duration_ns[paired]
        self._gaps.append((edges[seen_by_caller], paired, sketch_indices(lost_ns // 1000)))
        untold = forest.delivered[~forest.flags(self._columns, "takes_messages")[forest.delivered]]
        consumed = self._calls(untold, forest.parent[untold], RelationType.CONSUMES)
        self._over(consumed, untold, forest.duration_ns[untold])
        self._totals.paired += len(callees) + len(forest.delivered)

    def _calls(self, near: Ints, far: Ints, kind: RelationType) -> Ints:
        """Numbers of the relations from the origins of some spans to those of others."""
        if not near.size:
            return _NO_SPANS
        origins = self._catalog.origins
        origin = self._columns.numbers["origin"][self._forest.shape]
        pairs, first, which = np.unique(
            origin[near] * len(origins) + origin[far], return_index=True, return_inverse=True
        )
        numbers = []
        for pair, at in zip(pairs.tolist(), first.tolist(), strict=True):
            self._catalog.clock_ns = int(self._forest.known_ns[near[at]])
            source, target = divmod(pair, len(origins))
            numbers.append(self._catalog.edge(origins[source], kind, origins[target].node).number)
        return np.array(numbers, np.int64)[which]

    def _count_stated(self) -> None:
        """What spans state that they read, used or wrote, but for what a span inside them stated already."""
        forest = self._forest
        stating = np.flatnonzero(forest.flags(self._columns, "has_edges"))
        repeats = self._states_below[stating]
        spans, edges = self._columns.edges.spread(stating[~repeats], forest.shape[stating[~repeats]])
        self._over(edges, spans, forest.duration_ns[spans])
        if repeats.any():
            self._count_repeats(stating[repeats].tolist())

    def _count_repeats(self, outer: Iterable[int]) -> None:
        own: dict[int, list[int]] = {}
        forest = self._forest
        inside = forest.waited[forest.is_own]
        for child, parent in zip(inside.tolist(), forest.parent[inside].tolist(), strict=True):
            own.setdefault(parent, []).append(child)
        shapes = self._catalog.shapes
        edges: list[int] = []
        spans: list[int] = []
        for span in outer:
            stated, stack = 0, list(own.get(span, ()))
            while stack:
                below = stack.pop()
                stack += own.get(below, ())
                for edge in shapes[forest.shape[below]].edges:
                    stated |= edge.far.bit
            for edge in shapes[forest.shape[span]].edges:
                if not stated & edge.far.bit:
                    stated |= edge.far.bit
                    edges.append(edge.number)
                    spans.append(span)
        at = np.array(spans, np.int64)
        self._over(np.array(edges, np.int64), at, forest.duration_ns[at])

    def _entries(self) -> Ints:
        """Spans with which a request came into a service."""
        forest = self._forest
        service = self._columns.service[self._columns.numbers["origin"][forest.shape]]
        entered = forest.remote[service[forest.remote] != service[forest.parent[forest.remote]]]
        roots: list[int] = []
        for at in forest.roots.tolist():
            span = forest.spans[at]
            if not span.parent_id:
                roots.append(at)
            elif span.kind not in _NOT_ENTERED:
                self._totals.unknown_callers += 1
                roots.append(at)
        return np.concatenate((entered, forest.delivered, forest.redelivered, np.array(roots, np.int64)))

    def _count_requests(self, entries: Ints) -> None:
        """Requests by entry and each node that they touched, and by entry alone."""
        forest = self._forest
        bits = np.unpackbits(self._masks[entries].view(np.uint8), axis=1, bitorder="little")
        touching, nodes = np.nonzero(bits)
        spans = np.concatenate((entries, entries[touching]))
        nodes = np.concatenate((np.full(len(entries), -1), nodes))
        exposures = self._exposures(self._columns.numbers["entry"][forest.shape[spans]], nodes)
        weight = forest.weight[spans]
        numbers = (weight, weight * weight, weight * forest.is_error[spans], weight * self._poor[spans])
        latency = sketch_indices(forest.duration_ns // 1000)[spans]
        for number, at in _by_bucket(self._number[spans]):
            chosen = tuple(column[at] for column in numbers)
            times = forest.start_ns[spans[at]], forest.end_ns[spans[at]]
            table = self._buckets.numbered(number).exposures
            table.add(Additions(exposures[at], *times, chosen, latency[at], weight[at]))

    def _exposures(self, entries: Ints, nodes: Ints) -> Ints:
        """Numbers of the exposures of entries to nodes."""
        width = len(self._catalog.nodes) + 1
        pairs, which = np.unique(entries * width + nodes + 1, return_inverse=True)
        number = self._catalog.exposure
        known = [number(pair // width, pair % width - 1) for pair in pairs.tolist()]
        return np.array(known, np.int64)[which]

    def _count_standing(self, entries: Ints) -> None:
        """What holds for a whole process counts once for each request that came in."""
        forest = self._forest
        standing = entries[forest.flags(self._columns, "has_standing")[entries]]
        spans, edges = self._columns.standing.spread(standing, forest.shape[standing])
        self._over(edges, spans, forest.duration_ns[spans])

    def _over(self, edges: Ints, spans: Ints, latency_ns: Ints) -> None:
        if edges.size:
            self._edges.append((edges, spans, latency_ns))

    def _add_edges(self) -> None:
        if not self._edges:
            return
        edges, spans, latency_ns = (np.concatenate(column) for column in zip(*self._edges, strict=True))
        self._exemplify(edges, spans)
        forest = self._forest
        latency = sketch_indices(latency_ns // 1000)
        weight = forest.weight[spans]
        numbers = (weight, weight * forest.is_error[spans], weight * self._is_origin[spans])
        for number, at in _by_bucket(self._number[spans]):
            chosen = tuple(column[at] for column in numbers)
            times = forest.start_ns[spans[at]], forest.end_ns[spans[at]]
            table = self._buckets.numbered(number).edges
            table.add(Additions(edges[at], *times, chosen, latency[at], weight[at]))
        for edges, spans, gaps in self._gaps:
            for number, at in _by_bucket(self._number[spans]):
                weights: Floats = forest.weight[spans[at]]
                self._buckets.numbered(number).edges.add_sketch(GAP, edges[at], gaps[at], weights)

    def _exemplify(self, edges: Ints, spans: Ints) -> None:
        """Note the last use of each relation."""
        ended = self._forest.end_ns[spans]
        last = np.zeros(int(edges.max()) + 1, np.int64)
        np.maximum.at(last, edges, ended)
        for at in np.flatnonzero(ended == last[edges]).tolist():
            trace_id = self._forest.spans[int(spans[at])].trace_id
            self._buckets.exemplify(int(edges[at]), (int(ended[at]), trace_id))

    def _derive(self) -> None:
        """What a service version made in a trace derives from what it read and used in it."""
        forest = self._forest
        makers = np.flatnonzero(forest.flags(self._columns, "has_made"))
        if not makers.size:
            return
        shapes = self._catalog.shapes
        together = forest.trace * len(self._catalog.origins) + self._columns.numbers["origin"][forest.shape]
        users = np.flatnonzero(forest.flags(self._columns, "has_used") & np.isin(together, together[makers]))
        used: dict[int, set[Node]] = {}
        for group, shape in zip(together[users].tolist(), forest.shape[users].tolist(), strict=True):
            used.setdefault(group, set()).update(shapes[shape].used)
        for at, group in zip(makers.tolist(), together[makers].tolist(), strict=True):
            span, shape = forest.spans[at], shapes[forest.shape[at]]
            for source in used.get(group, ()):
                for made in shape.made:
                    if made is not source:
                        key = (made, source, shape.origin.environment)
                        self._buckets.derive(key, span, int(forest.known_ns[at]))


def _by_bucket(numbers: Ints) -> Iterable[tuple[int, Ints]]:
    """Positions by the number of their bucket; nearly always there is one bucket, or two."""
    for number in np.unique(numbers).tolist():
        yield number, np.flatnonzero(numbers == number)


def _or_into(masks: Words, rows: Ints, new: Words) -> None:
    """``masks[row] |= new`` where a row may occur many times."""
    if not rows.size:
        return
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    firsts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    masks[ordered[firsts]] |= np.bitwise_or.reduceat(new[order], firsts, axis=0)
