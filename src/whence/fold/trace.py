"""One closed trace to counts: who called whom, what each did by itself, and what every request into a service touched.

How this works: spans are put in an order in which parents come before children, then walked backwards, so that all
below a span is known when its turn comes. What a finished span leaves for its parent is a ``_Result`` tuple.

A span of another service version than its parent is *remote*: a call between the two. A remote span of another service,
or one whose parent is unknown, is an *entry*: a request into its service. A consumer of messages does not belong under
the producer that it descends from: the producer does not wait for it and does not depend on it. Their tie is the topic,
or, where no topic is stated, a ``CONSUMES`` relation from the consumer to the producer.

Fields of spans are read by unpacking or position here: this code runs for every span, and that is the fastest way.
"""

from __future__ import annotations

from operator import itemgetter

from whence.fold.buckets import Buckets, Page
from whence.fold.catalog import ALL_REQUESTS_BIT, Catalog, Edge, Origin, Shape, Sightings
from whence.fold.stats import Totals
from whence.fold.tallies import ERROR, INDEX_OF_SMALL, ORIGIN, POOR, SMALL_US, index_of
from whence.model.kinds import RelationType
from whence.model.spans import Span, SpanKind

_Result = tuple[Span, Shape, int, int, bool, bool, int]
"""Span; its shape; bits of all nodes at or below it; bits of what it and its own service below it state; whether a call
or a stated target lies at or below it in its own service; whether an outcome at or below was poor; its own marks."""
_Joined = tuple[int, int, bool, bool, int, int]
"""The same but for span and shape, and the time in nanoseconds that no child covers."""
_NOT_ENTERED = frozenset({SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER})
"""Kinds whose parent is in the same process: when it is missing, it was lost, and no request came in here."""
_FAILED = ERROR | ORIGIN
_start_ns = itemgetter(5)


class TraceCounter:
    """Adds closed traces to the counts of a writer."""

    def __init__(self, catalog: Catalog, buckets: Buckets, totals: Totals) -> None:
        self._catalog = catalog
        self._buckets = buckets
        self._totals = totals

    def count(self, spans: list[Span]) -> None:
        """Count all spans of one trace, each of another id, in any order. Cost: linear, but for sorting of siblings."""
        order = _parents_first(spans)
        below: dict[bytes, list[_Result]] = {span[1]: [] for span in order}
        find_shape, new_shape = self._catalog.by_identity.get, self._catalog.shape
        width_ns, low_ns, high_ns, page_weight = self._buckets.width_ns, 0, 0, 0.0
        used: dict[Origin, int] = {}
        makers: list[tuple[Shape, int, int]] = []
        for span in reversed(order):
            _, span_id, parent_id, kind, name, start_ns, end_ns, is_error, weight, source, facts, _ = span
            shape = find_shape((id(source), id(facts), name, kind)) or new_shape(source, facts, name, kind)
            if weight != page_weight or not low_ns <= start_ns < high_ns:
                page, page_weight = self._buckets.page(start_ns, weight), weight
                counts, low_ns = page.counts, start_ns - start_ns % width_ns
                high_ns = low_ns + width_ns
            children = below[span_id]
            if children:
                mask, refs, reaches, poor, marks, self_ns = self._join(span, shape, children)
                self_us = self_ns // 1000
            else:
                mask, refs, reaches, poor, marks = shape.mask, 0, False, shape.is_poor, _FAILED if is_error else 0
                self_us = (end_ns - start_ns) // 1000
            counts[shape.code | marks | (INDEX_OF_SMALL[self_us] if self_us < SMALL_US else index_of(self_us))] += 1
            if start_ns < shape.first_ns:
                shape.first_ns = start_ns
            if end_ns > shape.last_ns:
                shape.last_ns = end_ns
            if shape.edges:
                refs = _count_edges(page, shape, span, refs, marks)
                reaches = True
                if shape.used:
                    used[shape.origin] = used.get(shape.origin, 0) | shape.used
                if shape.made:
                    makers.append((shape, start_ns, end_ns))
            elif shape.is_caller and not reaches:
                mask |= self._count_outward(page, shape, span, marks)
                reaches = shape.peer is not None
            result = (span, shape, mask, refs, reaches, poor, marks)
            if parent_id in below:
                below[parent_id].append(result)
            else:
                self._count_root(result)
        for shape, start_ns, end_ns in makers:
            self._derive(shape, used.get(shape.origin, 0), start_ns, end_ns)

    def _join(self, span: Span, shape: Shape, children: list[_Result]) -> _Joined:
        """What the children add to a span. Calls between the two are counted on the way."""
        origin, mask, refs, reaches, poor = shape.origin, shape.mask, 0, False, shape.is_poor
        marks = _FAILED if span[7] else 0
        remote: list[_Result] = []
        awaited: list[Span] = []
        for child in children:
            child_span, child_shape, child_mask, child_refs, child_reaches, child_poor, child_marks = child
            if child_shape.origin is not origin:
                if child_shape.is_consumer:
                    self._count_delivery(shape, child)
                    continue
                remote.append(child)
            elif child_shape.is_consumer and shape.is_producer:
                self._count_request(child)
                continue
            else:
                refs |= child_refs
                reaches = reaches or child_reaches
            mask |= child_mask
            poor = poor or child_poor
            if child_marks:
                marks &= ERROR
            awaited.append(child_span)
        if remote:
            reaches = True
            is_seen = shape.is_caller and len(remote) == 1
            for child in remote:
                self._count_call(span, shape, child, is_seen=is_seen)
        return mask, refs, reaches, poor, marks, _self_ns(span, awaited)

    def _count_call(self, caller: Span, shape: Shape, callee: _Result, *, is_seen: bool) -> None:
        """A call between service versions; ``is_seen`` when the caller's span stands for this call and no other."""
        span, callee_shape, _, _, _, _, marks = callee
        start_ns, end_ns = span[5], span[6]
        edge = shape.origin.calls.get(callee_shape.origin) or self._catalog.call(shape.origin, callee_shape.origin)
        page = self._buckets.page(start_ns, span[8])
        latency_ns = end_ns - start_ns
        if is_seen:
            gap_ns = caller[6] - caller[5] - latency_ns
            page.counts[edge.gap_code | index_of(gap_ns // 1000)] += 1
            latency_ns += gap_ns
        page.counts[edge.code | marks | index_of(latency_ns // 1000)] += 1
        edge.see(start_ns, end_ns)
        if callee_shape.origin.service != shape.origin.service:
            self._count_request(callee)
        self._totals.paired += 1

    def _count_delivery(self, producer: Shape, consumer: _Result) -> None:
        """A message that arrived in another service."""
        span, shape, marks = consumer[0], consumer[1], consumer[6]
        if not shape.takes_messages:
            edge = self._catalog.edge(shape.origin, RelationType.CONSUMES, producer.origin.node)
            _count_edge(self._buckets.page(span.start_ns, span.weight), edge, span, marks)
        self._count_request(consumer)
        self._totals.paired += 1

    def _count_outward(self, page: Page, shape: Shape, span: Span, marks: int) -> int:
        """A client span that nobody answered: the peer that it names, if any. Returns the peer's bit."""
        if shape.peer is None:
            self._totals.unpaired_callers += 1
            return 0
        _count_edge(page, shape.peer, span, marks)
        return shape.peer.far.bit

    def _count_root(self, root: _Result) -> None:
        """A span without a parent in the trace."""
        span = root[0]
        if span.parent_id:
            if span.kind in _NOT_ENTERED:
                return
            self._totals.unknown_callers += 1
        self._count_request(root)

    def _count_request(self, entry: _Result) -> None:
        """A request that came into a service."""
        span, shape, mask, _, _, poor, marks = entry
        page = self._buckets.page(span[5], span[8])
        code = (marks & ERROR) | (POOR if poor else 0) | index_of((span[6] - span[5]) // 1000)
        page.requests.append((shape.entry, mask | ALL_REQUESTS_BIT, code))
        for edge in shape.standing:
            _count_edge(page, edge, span, marks)

    def _derive(self, shape: Shape, used: int, start_ns: int, end_ns: int) -> None:
        """What a service version made in a trace derives from what it read and used in it."""
        if not used:
            return
        seen = self._buckets.derivations.get((shape, used))
        if seen is None:
            seen = self._buckets.derivations[shape, used] = Sightings(self._catalog.clock_ns)
        seen.see(start_ns, end_ns)


def _count_edges(page: Page, shape: Shape, span: Span, refs: int, marks: int) -> int:
    """Everything that a span states it read, used or wrote, but for what a span inside it stated already."""
    for edge in shape.edges:
        bit = edge.far.bit
        if not refs & bit:
            _count_edge(page, edge, span, marks)
            refs |= bit
    return refs


def _count_edge(page: Page, edge: Edge, span: Span, marks: int) -> None:
    start_ns, end_ns = span[5], span[6]
    page.counts[edge.code | marks | index_of((end_ns - start_ns) // 1000)] += 1
    edge.see(start_ns, end_ns)


def _parents_first(spans: list[Span]) -> list[Span]:
    """All spans, parents before their children."""
    children: dict[bytes, list[Span]] = {span[1]: [] for span in spans}
    order: list[Span] = []
    for span in spans:
        children.get(span[2], order).append(span)
    for span in order:  # grows while it is walked
        order += children[span[1]]
    return order if len(order) == len(spans) else _parents_first(_without_cycles(spans))


def _without_cycles(spans: list[Span]) -> list[Span]:
    """The spans with one parent link cut in every circle; broken propagation can make some."""
    parents = {span.span_id: span.parent_id for span in spans}
    checked: set[bytes] = set()
    cut: set[bytes] = set()
    for span_id in parents:
        path: list[bytes] = []
        while span_id in parents and span_id not in checked:
            checked.add(span_id)
            path.append(span_id)
            span_id = parents[span_id]
        if span_id in path:
            cut.add(min(path[path.index(span_id) :]))
    return [span._replace(parent_id=b"") if span.span_id in cut else span for span in spans]


def _self_ns(span: Span, children: list[Span]) -> int:
    """Time of a span that no child covers. Children may overlap and, by their clocks, stick out."""
    reach_ns, end_ns = span[5], span[6]
    left_ns = end_ns - reach_ns
    if len(children) > 1:
        children.sort(key=_start_ns)
    for child in children:
        child_start_ns, child_end_ns = child[5], child[6]
        if child_start_ns < reach_ns:
            child_start_ns = reach_ns
        if child_end_ns > end_ns:
            child_end_ns = end_ns
        if child_end_ns > child_start_ns:
            left_ns -= child_end_ns - child_start_ns
            reach_ns = child_end_ns
    return left_ns
