"""One closed trace to counts: who called whom, what each did by itself, and what every request into a service touched.

How this works: spans are put in an order in which parents come before children, then walked backwards, so that all
below a span is known when its turn comes. What is known of a finished span is a ``_Done`` tuple, which its parent
reads.

A span of another service version than its parent is *remote*: a call between the two. A remote span of another service,
or one whose parent is unknown, is an *entry*: a request into its service. A consumer of messages does not belong under
the producer that it descends from: the producer does not wait for it and does not depend on it. Their tie is the topic,
or, where no topic is stated, a ``CONSUMES`` relation from the consumer to the producer.
"""

from __future__ import annotations

from operator import itemgetter

from whence.fold.buckets import Buckets
from whence.fold.catalog import Catalog, Edge, Node, Origin, Shape
from whence.fold.stats import Totals
from whence.fold.tallies import Bucket, EdgeTally, ExposureTally, OperationTally, sketch_index
from whence.model.kinds import RelationType
from whence.model.spans import Span, SpanKind

_Done = tuple[Shape, int, int, bool, bool, bool]
"""Shape; bits of all nodes at or below; bits of what it and its own service below it state; whether an outcome at or
below was poor; whether a call or a stated target lies at or below it in its own service; whether an error starts
here."""
_Children = dict[bytes, list[Span]]
_ON_THE_WAY = -1
"""Self time of a call to another service: what it didn't wait for the callee is the relation's gap, not its own."""
_NOT_ENTERED = frozenset({SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER})
"""Kinds whose parent is in the same process: when it is missing, it was lost, and no request came in here."""


class TraceCounter:
    """Adds closed traces to the tallies of a writer."""

    def __init__(self, catalog: Catalog, buckets: Buckets, totals: Totals) -> None:
        self._catalog = catalog
        self._buckets = buckets
        self._totals = totals

    def count(self, spans: list[Span]) -> None:
        """Count all spans of one trace, each of another id, in any order. Cost: linear, but for sorting of siblings."""
        order, children, roots = _parents_first(spans)
        done: dict[bytes, _Done] = {}
        find_shape, new_shape = self._catalog.by_identity.get, self._catalog.shape
        width_ns, low_ns, high_ns = self._buckets.width_ns, 0, 0
        makers: list[tuple[Shape, Span]] = []
        for span in reversed(order):
            _, span_id, _, kind, name, start_ns, end_ns, is_error, weight, source, facts, _ = span
            shape = find_shape((id(source), id(facts), name, kind)) or new_shape(source, facts, name, kind)
            if not low_ns <= start_ns < high_ns:
                bucket = self._buckets.at(start_ns)
                low_ns = start_ns - start_ns % width_ns
                high_ns = low_ns + width_ns
            children_here = children.get(span_id)
            if children_here is None:
                mask, refs, poor, reaches, is_origin, self_ns = (
                    shape.mask,
                    0,
                    shape.poor,
                    False,
                    is_error,
                    end_ns - start_ns,
                )
            else:
                mask, refs, poor, reaches, is_origin, self_ns = self._below(span, shape, children_here, done)
            tally = bucket.operations.get(shape.operation)
            if tally is None:
                tally = bucket.operations[shape.operation] = OperationTally()
            tally.spans += 1
            tally.calls += weight
            if is_error:
                tally.errors += weight
                if is_origin:
                    tally.origin_errors += weight
            if shape.poor:
                tally.poor += weight
            if self_ns != _ON_THE_WAY:
                index = sketch_index(self_ns // 1000)
                tally.self_time[index] = tally.self_time.get(index, 0.0) + weight
            if start_ns < tally.first_ns:
                tally.first_ns = start_ns
            if end_ns > tally.last_ns:
                tally.last_ns = end_ns
            if shape.edges:
                refs = self._count_edges(bucket, shape, span, refs, is_origin=is_origin)
                reaches = True
                if shape.made:
                    makers.append((shape, span))
            elif shape.is_caller and not reaches:
                mask |= self._count_outward(bucket, shape, span, is_origin=is_origin)
                reaches = shape.peer is not None
            done[span_id] = (shape, mask, refs, poor, reaches, is_origin)
        for root in roots:
            self._count_root(root, done[root[1]])
        if makers:
            self._derive(makers, order, done)

    def _below(
        self, span: Span, shape: Shape, children: list[Span], done: dict[bytes, _Done]
    ) -> tuple[int, int, bool, bool, bool, int]:
        """What the children add to a span: mask, refs, poor, reaches, whether its error starts here, its self time."""
        origin, mask, refs, poor, reaches = shape.origin, shape.mask, 0, shape.poor, False
        is_origin = span.is_error
        remote: list[Span] = []
        waited_for: list[Span] = []
        for child in children:
            child_shape, child_mask, child_refs, child_poor, child_reaches, _ = done[child[1]]
            if child_shape.origin is origin:
                if child_shape.is_consumer and shape.is_producer:
                    self._count_entry(child, done[child[1]])
                    continue
                refs |= child_refs
                reaches = reaches or child_reaches
            else:
                if child_shape.is_consumer:
                    self._count_delivery(shape, child, done[child[1]])
                    continue
                remote.append(child)
            mask |= child_mask
            poor = poor or child_poor
            is_origin = is_origin and not child[7]
            waited_for.append(child)
        if remote:
            reaches = True
            self._count_calls(span, shape, remote, done)
        self_ns = _ON_THE_WAY if _measures_gap(shape, remote) else _self_ns(span, waited_for)
        return mask, refs, poor, reaches, is_origin, self_ns

    def _count_calls(self, caller: Span, shape: Shape, callees: list[Span], done: dict[bytes, _Done]) -> None:
        """Calls from one span to spans of other service versions, and the requests that came in by them."""
        seen_by_caller = _measures_gap(shape, callees)
        for callee in callees:
            answer = done[callee[1]]
            callee_shape, is_origin = answer[0], answer[5]
            edge = self._catalog.call(shape.origin, callee_shape.origin)
            tally = _edge_tally(self._buckets.at(callee.start_ns), edge)
            callee_ns = callee.end_ns - callee.start_ns
            caller_ns = caller.end_ns - caller.start_ns
            _add_call(tally, callee, caller_ns if seen_by_caller else callee_ns, is_origin=is_origin)
            if seen_by_caller:
                index = sketch_index((caller_ns - callee_ns) // 1000)
                tally.gap[index] = tally.gap.get(index, 0.0) + callee.weight
            if callee_shape.origin.service != shape.origin.service:
                self._count_entry(callee, answer)
        self._totals.paired += len(callees)

    def _count_delivery(self, producer: Shape, consumer: Span, answer: _Done) -> None:
        """A message that arrived in another service."""
        shape = answer[0]
        if not shape.takes_messages:
            edge = self._catalog.edge(shape.origin, RelationType.CONSUMES, producer.origin.node)
            tally = _edge_tally(self._buckets.at(consumer.start_ns), edge)
            _add_call(tally, consumer, consumer.end_ns - consumer.start_ns, is_origin=answer[5])
        self._totals.paired += 1
        self._count_entry(consumer, answer)

    def _count_edges(self, bucket: Bucket, shape: Shape, span: Span, refs: int, *, is_origin: bool) -> int:
        """Everything that a span states it read, used or wrote, but for what a span inside it stated already."""
        for edge in shape.edges:
            bit = edge.far.bit
            if not refs & bit:
                _add_call(_edge_tally(bucket, edge), span, span.end_ns - span.start_ns, is_origin=is_origin)
                refs |= bit
        return refs

    def _count_outward(self, bucket: Bucket, shape: Shape, span: Span, *, is_origin: bool) -> int:
        """A client span that nobody answered: the peer that it names, if any. Returns the peer's bit."""
        edge = shape.peer
        if edge is None:
            self._totals.unpaired_callers += 1
            return 0
        _add_call(_edge_tally(bucket, edge), span, span.end_ns - span.start_ns, is_origin=is_origin)
        return edge.far.bit

    def _count_root(self, root: Span, answer: _Done) -> None:
        """A span without a parent in the trace."""
        if root.parent_id and root.kind in _NOT_ENTERED:
            return
        if root.parent_id:
            self._totals.unknown_callers += 1
        self._count_entry(root, answer)

    def _count_entry(self, span: Span, answer: _Done) -> None:
        """A request that came into a service."""
        shape, mask, _, poor, _, is_origin = answer
        bucket = self._buckets.at(span.start_ns)
        key = (shape.entry, mask)
        tally = bucket.incoming.get(key)
        if tally is None:
            tally = bucket.incoming[key] = ExposureTally()
        weight = span.weight
        tally.spans += 1
        tally.requests += weight
        tally.requests_sq += weight * weight
        if span.is_error:
            tally.errors += weight
        if poor:
            tally.poor += weight
        duration_ns = span.end_ns - span.start_ns
        index = sketch_index(duration_ns // 1000)
        tally.latency[index] = tally.latency.get(index, 0.0) + weight
        for edge in shape.standing:
            _add_call(_edge_tally(bucket, edge), span, duration_ns, is_origin=is_origin)

    def _derive(self, makers: list[tuple[Shape, Span]], order: list[Span], done: dict[bytes, _Done]) -> None:
        """What a service version made in this trace derives from what it read and used in it."""
        used: dict[Origin, dict[Node, None]] = {}
        for span in order:
            shape = done[span.span_id][0]
            if shape.used:
                used.setdefault(shape.origin, {}).update(dict.fromkeys(shape.used))
        for shape, span in makers:
            for source in used.get(shape.origin, ()):
                for made in shape.made:
                    if made is not source:
                        self._buckets.derive((made, source, shape.origin.environment), span, self._catalog.clock_ns)


def _parents_first(spans: list[Span]) -> tuple[list[Span], _Children, list[Span]]:
    """All spans with parents before children, the children by their parent's id, and those without a parent."""
    ids = {span[1] for span in spans}
    children: _Children = {}
    order: list[Span] = []
    for span in spans:
        parent_id = span[2]
        if parent_id not in ids:
            order.append(span)
        elif parent_id in children:
            children[parent_id].append(span)
        else:
            children[parent_id] = [span]
    roots = order.copy()
    for span in order:  # grows while it is walked
        if span[1] in children:
            order += children[span[1]]
    if len(order) < len(spans):
        return _parents_first(_without_cycles(spans))
    return order, children, roots


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
    start_ns, end_ns = span[5], span[6]
    covered_ns, reach_ns = 0, start_ns
    if len(children) > 1:
        children.sort(key=_START)
    for child in children:
        child_start_ns, child_end_ns = child[5], child[6]
        if child_start_ns < reach_ns:
            child_start_ns = reach_ns
        if child_end_ns > end_ns:
            child_end_ns = end_ns
        if child_end_ns > child_start_ns:
            covered_ns += child_end_ns - child_start_ns
            reach_ns = child_end_ns
    return end_ns - start_ns - covered_ns


_START = itemgetter(5)


def _measures_gap(shape: Shape, callees: list[Span]) -> bool:
    """Whether a span is one call as its caller saw it, so that its time less the callee's was lost between the two."""
    return shape.is_caller and len(callees) == 1


def _edge_tally(bucket: Bucket, edge: Edge) -> EdgeTally:
    tally = bucket.edges.get(edge)
    if tally is None:
        tally = bucket.edges[edge] = EdgeTally()
    return tally


def _add_call(tally: EdgeTally, span: Span, latency_ns: int, *, is_origin: bool) -> None:
    weight = span[8]
    tally.spans += 1
    tally.calls += weight
    if span[7]:
        tally.errors += weight
        if is_origin:
            tally.origin_errors += weight
    index = sketch_index(latency_ns // 1000)
    tally.latency[index] = tally.latency.get(index, 0.0) + weight
    if span[5] < tally.first_ns:
        tally.first_ns = span[5]
    if span[6] > tally.last_ns:
        tally.last_ns = span[6]
