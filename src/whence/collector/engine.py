"""The seam between receiving and computing: bytes in, ``GraphDelta`` out.

The collector knows only ``Engine``. The portable one here composes the ``otlp`` and ``fold`` rooms; the compiled one
(``native_engine``) takes its place where it was built, since a batch is opaque to the caller and the answers are the
same.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from whence.collector.checkpoint import encode_spans
from whence.fold import Callers, FoldStats, Reported
from whence.model.delta import GraphDelta, merge
from whence.model.spans import CalledBy, CallerName, ErrorLog, Rejections, ReportedCalls, Span
from whence.otlp import DecodeLimits, Encoding, decode_logs, decode_metrics, decode_traces, gunzip

if TYPE_CHECKING:
    from whence import _native


class Signal(IntEnum):
    """Which OTLP service a request belongs to."""

    TRACES = 1
    LOGS = 2
    METRICS = 3


class Request(NamedTuple):
    """One request as it came in; ``body`` is still compressed when ``is_gzip``."""

    signal: Signal
    encoding: Encoding
    is_gzip: bool
    body: bytes


class Batch(NamedTuple):
    """A decoded request, ready to be applied. ``records`` were accepted."""

    records: int
    rejections: Rejections
    spans: Sequence[Span] | _native.Batch
    error_logs: list[ErrorLog]
    delta: GraphDelta
    names: Sequence[CallerName] = ()
    calls: Sequence[CalledBy] = ()
    reported: Sequence[ReportedCalls] = ()


class Engine(Protocol):
    """Decodes and folds. Not thread-safe: one thread calls it."""

    @property
    def name(self) -> str:
        """Which engine this is, for start-up and ``/metrics``."""

    def decode(self, request: Request, now_ns: int) -> Batch:
        """Read a request; pure. Raises ``InputError`` when nothing of it can be used."""

    def apply(self, batch: Batch, now_ns: int) -> None:
        """Fold a batch; first closes what was due by ``now_ns``. Clocks must not go back between calls."""

    def expire(self, now_ns: int) -> None:
        """Close what is due."""

    def drain(self, now_ns: int) -> GraphDelta:
        """Everything that changed since the last drain, as absolute values of the current writer."""

    def roll(self, writer: str) -> None:
        """Count under a new writer from here on; call right after a drain. Open traces come along."""

    def open_spans(self) -> list[Span]:
        """Spans of traces that are still open, oldest trace first."""

    def checkpoint(self) -> bytes:
        """The same, as ``checkpoint.decode_spans`` reads them."""

    def restore(self, spans: list[Span], now_ns: int) -> None:
        """Forget what is open and hold these spans instead."""

    def counters(self) -> dict[str, int]:
        """Totals since start, by name: spans, pairs, each way of losing data."""


class Folder(Protocol):
    """What an engine folds with; see ``fold.SpanFolder``."""

    def push(self, spans: Any, now_ns: int) -> None:
        """Take the spans of a batch of its own engine."""

    def push_logs(self, logs: Sequence[ErrorLog], now_ns: int) -> None:
        """Count error logs."""

    def expire(self, now_ns: int) -> None:
        """Close what is due."""

    def drain(self, now_ns: int) -> GraphDelta:
        """Everything that changed since the last drain."""

    def roll(self, writer: str) -> None:
        """Count under a new writer."""

    def open_spans(self) -> list[Span]:
        """Spans of open traces."""

    def restore(self, spans: Sequence[Span], now_ns: int) -> None:
        """Hold these spans as the only open ones."""

    @property
    def stats(self) -> FoldStats:
        """Totals so far."""


class PortableEngine:
    """The engine in Python: lean protobuf, and columns in numpy."""

    name = "portable"

    def __init__(self, folder: Folder, limits: DecodeLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._callers = Callers()
        self._reported = Reported()
        self._pending = _NOTHING

    def decode(self, request: Request, now_ns: int) -> Batch:
        """See ``Engine``."""
        body = gunzip(request.body, self._limits.max_body_bytes) if request.is_gzip else request.body
        if request.signal is Signal.TRACES:
            return self._decode_traces(body, request.encoding, now_ns)
        if request.signal is Signal.METRICS:
            metrics = decode_metrics(body, request.encoding, limits=self._limits, now_ns=now_ns)
            return Batch(metrics.records, metrics.rejections, [], [], _NOTHING, reported=metrics.reported)
        logs = decode_logs(body, request.encoding, limits=self._limits, now_ns=now_ns)
        return Batch(logs.records, logs.rejections, [], logs.error_logs, logs.delta, logs.names, logs.calls)

    def _decode_traces(self, body: bytes, encoding: Encoding, now_ns: int) -> Batch:
        traces = decode_traces(body, encoding, limits=self._limits, now_ns=now_ns)
        return spans_batch(traces.spans, traces.rejections)

    def apply(self, batch: Batch, now_ns: int) -> None:
        """See ``Engine``."""
        if batch.spans:
            self._folder.push(batch.spans, now_ns)
        if batch.error_logs:
            self._folder.push_logs(batch.error_logs, now_ns)
        if batch.delta is not _NOTHING:
            self._pending = merge(self._pending, batch.delta)
        if batch.names or batch.calls:
            self._pending = merge(self._pending, self._callers.hear(batch.names, batch.calls, now_ns))
        if batch.reported:
            self._pending = merge(self._pending, self._reported.hear(batch.reported, now_ns))

    def expire(self, now_ns: int) -> None:
        """See ``Engine``."""
        self._folder.expire(now_ns)

    def drain(self, now_ns: int) -> GraphDelta:
        """See ``Engine``."""
        pending, self._pending = self._pending, _NOTHING
        return merge(self._folder.drain(now_ns), pending)

    def roll(self, writer: str) -> None:
        """See ``Engine``."""
        self._folder.roll(writer)

    def open_spans(self) -> list[Span]:
        """See ``Engine``."""
        return self._folder.open_spans()

    def checkpoint(self) -> bytes:
        """See ``Engine``."""
        return encode_spans(self._folder.open_spans())

    def restore(self, spans: list[Span], now_ns: int) -> None:
        """See ``Engine``."""
        self._folder.restore(spans, now_ns)

    def counters(self) -> dict[str, int]:
        """See ``Engine``."""
        return self._folder.stats._asdict()


def spans_batch(spans: Sequence[Span] | _native.Batch, rejections: Rejections) -> Batch:
    """A batch of nothing but spans."""
    return Batch(len(spans), rejections, spans, [], _NOTHING)


_NOTHING = GraphDelta()
