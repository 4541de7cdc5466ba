"""Spans that wait for the rest of their trace.

A trace is due when no span came for ``idle_ns``, or ``ttl_ns`` after its first one. Due traces are given out in the
order in which they became due, stamped with that instant instead of the present one: so what is known since when does
not depend on how often anybody looked.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whence.model.spans import Span

MAX_SPANS_PER_TRACE = 10_000
"""A trace this long is closed at once: endless traces exist, and would otherwise be counted late or never."""
_MAX_REMEMBERED = 65_536
_ID_BYTES = 8


class OpenTrace:
    """The spans of one trace so far; clocks are those of arrival."""

    __slots__ = ("first_ns", "last_ns", "spans", "trace_id")

    def __init__(self, trace_id: bytes, now_ns: int) -> None:
        self.trace_id = trace_id
        self.spans: list[Span] = []
        self.first_ns = now_ns
        self.last_ns = now_ns


class ClosedTrace(NamedTuple):
    """A trace to count, and when it became due."""

    spans: list[Span]
    """Each of another id, none counted before."""
    due_ns: int
    duplicates: int


class OpenTraces:
    """All open traces of a folder."""

    def __init__(self, *, idle_ns: int, ttl_ns: int, max_spans: int) -> None:
        self._idle_ns = idle_ns
        self._ttl_ns = ttl_ns
        self._max_spans = max_spans
        self._by_id: OrderedDict[bytes, OpenTrace] = OrderedDict()
        """Longest silent first."""
        self._by_age: deque[OpenTrace] = deque()
        """Oldest first; also traces that have been closed since."""
        self._counted: OrderedDict[bytes, bytes] = OrderedDict()
        """The ids of the spans of traces that were closed lately, end to end."""
        self._endless: list[OpenTrace] = []
        self.size = 0
        """Open spans."""

    def add(self, spans: Sequence[Span], now_ns: int) -> int:
        """Take spans that arrive now; returns how many of their traces had been closed already."""
        by_id, late = self._by_id, 0
        for span in spans:
            trace = by_id.get(span[0])
            if trace is None:
                trace = by_id[span[0]] = OpenTrace(span[0], now_ns)
                self._by_age.append(trace)
                late += span[0] in self._counted
            elif trace.last_ns != now_ns:
                if len(trace.spans) >= MAX_SPANS_PER_TRACE:
                    self._endless.append(trace)
                trace.last_ns = now_ns
                by_id.move_to_end(span[0])
            trace.spans.append(span)
        self.size += len(spans)
        return late

    def take_due(self, now_ns: int) -> Iterator[ClosedTrace]:
        """Close what is due by now, in the order in which it became due."""
        while True:
            silent = next(iter(self._by_id.values()), None)
            if silent is None:
                self._by_age.clear()
                return
            oldest = self._oldest()
            silent_due_ns, oldest_due_ns = silent.last_ns + self._idle_ns, oldest.first_ns + self._ttl_ns
            trace, due_ns = (silent, silent_due_ns) if silent_due_ns <= oldest_due_ns else (oldest, oldest_due_ns)
            if due_ns > now_ns:
                return
            yield self._close(trace, due_ns)

    def take_excess(self, now_ns: int) -> Iterator[ClosedTrace]:
        """Close traces that grew too long, then the oldest ones until the number of open spans is within its bound."""
        endless, self._endless = self._endless, []
        for trace in endless:
            yield self._close(trace, now_ns)
        while self.size > self._max_spans:
            yield self._close(self._oldest(), now_ns)

    def spans(self) -> list[Span]:
        """All open spans, oldest trace first."""
        return [span for trace in self._by_age if self._is_open(trace) for span in trace.spans]

    def restart(self, spans: Sequence[Span], now_ns: int) -> None:
        """Hold these spans and no others, as if all of them had come now, and forget what was counted."""
        self._by_id.clear()
        self._by_age.clear()
        self._counted.clear()
        self.size = 0
        self.add(spans, now_ns)

    def _oldest(self) -> OpenTrace:
        while not self._is_open(self._by_age[0]):
            self._by_age.popleft()
        return self._by_age[0]

    def _is_open(self, trace: OpenTrace) -> bool:
        return self._by_id.get(trace.trace_id) is trace

    def _close(self, trace: OpenTrace, due_ns: int) -> ClosedTrace:
        del self._by_id[trace.trace_id]
        self.size -= len(trace.spans)
        counted = self._counted.pop(trace.trace_id, b"")
        fresh = {span[1]: span for span in trace.spans}
        if counted or len(fresh) < len(trace.spans):
            fresh = _fresh(trace.spans, counted)
        self._counted[trace.trace_id] = counted + b"".join(fresh)
        if len(self._counted) > _MAX_REMEMBERED:
            self._counted.popitem(last=False)
        duplicates = len(trace.spans) - len(fresh)
        trace.spans = []  # the trace itself stays in the queue by age for a while
        return ClosedTrace(list(fresh.values()), due_ns, duplicates)


def _fresh(spans: list[Span], counted: bytes) -> dict[bytes, Span]:
    """One span for each id that was not counted yet: of differing ones the least, so that arrival has no say in it."""
    seen = {counted[start : start + _ID_BYTES] for start in range(0, len(counted), _ID_BYTES)}
    fresh: dict[bytes, Span] = {}
    for span in spans:
        if span.span_id not in seen:
            fresh[span.span_id] = min(fresh.get(span.span_id, span), span)
    return fresh
