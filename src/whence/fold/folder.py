"""The folder: spans in, ``GraphDelta`` out.

Time is an argument, and closings depend on nothing else: the same calls with the same clocks give the same rows. What
happened at a clock is what was due by then, first, and only then the records that came with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from whence.fold.buckets import Buckets
from whence.fold.catalog import Catalog
from whence.fold.counting import TraceCounter
from whence.fold.rows import Drain
from whence.fold.stats import FoldStats, Totals
from whence.fold.tables import error_log
from whence.fold.traces import ClosedTrace, OpenTraces
from whence.model.delta import GraphDelta
from whence.model.spans import ErrorLog, Span

SPANS_AT_A_TIME = 4096
NO_OPERATION = ""
"""``OperationKey.operation`` of error logs, which belong to none."""


class SpanFolder:
    """Joins the spans of each trace and counts them. Not thread-safe; clocks are UTC nanoseconds and never go back.

    Rows are absolute values of the current writer, so a writer's tallies stay in memory until ``roll``; that bounds how
    long a writer may live. Cost: a few microseconds per span, about 1 KB per open span.
    """

    def __init__(self, *, writer: str, bucket_s: int = 15, idle_ns: int, ttl_ns: int, max_open_spans: int) -> None:
        self._bucket_s = bucket_s
        self._now_ns = 0
        self._traces = OpenTraces(idle_ns=idle_ns, ttl_ns=ttl_ns, max_spans=max_open_spans)
        self._totals = Totals()
        self._begin(writer)

    def push(self, spans: Sequence[Span], now_ns: int) -> None:
        """Take spans that arrive now. First closes what was due by now; last, what is too much."""
        self.expire(now_ns)
        self._totals.spans += len(spans)
        self._totals.late_traces += self._traces.add(spans, self._now_ns)
        self._totals.evicted_full += self._close(self._traces.take_excess(self._now_ns))

    def push_logs(self, logs: Sequence[ErrorLog], now_ns: int) -> None:
        """Count error logs at once: they wait for nothing."""
        self.expire(now_ns)
        self._catalog.clock_ns = self._now_ns
        for log in logs:
            operation = self._catalog.operation(self._catalog.origin(log.source), NO_OPERATION)
            self._buckets.at(log.time_ns).operations.add(error_log(operation.number, log.time_ns))

    def expire(self, now_ns: int) -> None:
        """Close and count the traces that are due by now."""
        self._now_ns = max(self._now_ns, now_ns)
        self._close(self._traces.take_due(self._now_ns))

    def drain(self, now_ns: int) -> GraphDelta:
        """Everything that changed since the last drain. Closes nothing."""
        self._now_ns = max(self._now_ns, now_ns)
        self._count_closed()
        buckets = self._buckets
        changed, derivations, examples = buckets.take_changed(), buckets.take_derivations(), buckets.take_examples()
        return Drain(self._writer, self._catalog).run(changed, derivations, examples)

    def roll(self, writer: str) -> None:
        """Count under a new writer from here on. Open traces come along, as if their spans had arrived just now.

        Raises:
            RuntimeError: Something is not drained yet.
        """
        if self._buckets.touched or self._closed:
            raise RuntimeError("drain before rolling: rows of the old writer would be lost")
        self._begin(writer)
        self._traces.restart(self._traces.spans(), self._now_ns)

    def open_spans(self) -> list[Span]:
        """Spans of open traces, oldest trace first: with ``restore`` another folder goes on from here."""
        return self._traces.spans()

    def restore(self, spans: Sequence[Span], now_ns: int) -> None:
        """Hold these spans as the only open ones, as ``roll`` at this clock leaves them."""
        self._now_ns = max(self._now_ns, now_ns)
        self._traces.restart(spans, self._now_ns)

    @property
    def stats(self) -> FoldStats:
        """Totals so far."""
        totals = self._totals
        return FoldStats(
            spans=totals.spans,
            traces_closed=totals.traces_closed,
            late_traces=totals.late_traces,
            duplicate_spans=totals.duplicate_spans,
            evicted_full=totals.evicted_full,
            paired=totals.paired,
            unpaired_callers=totals.unpaired_callers,
            unknown_callers=totals.unknown_callers,
            open_spans=self._traces.size,
        )

    def _begin(self, writer: str) -> None:
        self._writer = writer
        self._catalog = Catalog()
        self._buckets = Buckets(self._bucket_s)
        self._counter = TraceCounter(self._catalog, self._buckets, self._totals)
        self._closed: list[ClosedTrace] = []
        self._closed_spans = 0

    def _close(self, traces: Iterable[ClosedTrace]) -> int:
        """Take closed traces; they are counted many at a time, which costs each of them much less."""
        closed = 0
        for trace in traces:
            closed += 1
            self._totals.duplicate_spans += trace.duplicates
            if trace.spans:
                self._closed.append(trace)
                self._closed_spans += len(trace.spans)
            if self._closed_spans >= SPANS_AT_A_TIME:
                self._count_closed()
        self._totals.traces_closed += closed
        return closed

    def _count_closed(self) -> None:
        closed, self._closed, self._closed_spans = self._closed, [], 0
        self._counter.count(closed)
