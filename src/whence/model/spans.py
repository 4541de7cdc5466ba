"""What decoding gives and folding takes: spans with their source and the facts that their attributes state.

Span-rate types are tuples. ``Source`` and ``Facts`` are shared: many spans of a request point at one object, so they
cost nothing per span and may be compared by identity first.
"""

from __future__ import annotations

from typing import NamedTuple


class SpanKind:
    """OTLP's numbers."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Source(NamedTuple):
    """Who sent a span: one resource, reduced to identity."""

    service: str
    """Key of the service entity."""
    version: str
    """Key of the service version; equal to ``service`` when the resource names no version."""
    environment: str
    """Empty when the resource names none."""
    attributes: tuple[tuple[str, str], ...]
    """Allow-listed resource attributes worth keeping on the version node, sorted by name."""
    models: tuple[str, ...] = ()
    """References that hold for the whole process (``whence.models`` on the resource)."""
    inputs: tuple[str, ...] = ()
    """The same for ``whence.inputs``."""


class Facts(NamedTuple):
    """What the attributes and events of one span state, beside its timing. All references are canonical keys."""

    models: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    """Topics that a consumer span took messages from; ``outputs`` holds those published to."""
    peer: str = ""
    """Key of the peer as the caller knows it; used when no span of the callee turns up."""
    operation: str = ""
    """Low-cardinality operation (route, RPC method) when the attributes give a better one than the span's name."""
    poor: bool = False
    """The application called the outcome bad (``whence.outcome.bad``) although it answered."""


NO_FACTS = Facts()


class Span(NamedTuple):
    """One span, reduced to what the graph needs."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    """Empty for a root."""
    kind: int
    operation: str
    start_ns: int
    end_ns: int
    is_error: bool
    weight: float
    """Requests that this one stands for: 1 / sampling probability from ``tracestate``, else 1."""
    source: Source
    facts: Facts
    links: tuple[tuple[bytes, bytes], ...] = ()
    """(trace id, span id) of each link, kept for consumer spans only."""


class ErrorLog(NamedTuple):
    """A log record of severity ERROR or above: evidence that a service hurts even where spans have no status."""

    source: Source
    time_ns: int


class CallerName(NamedTuple):
    """A service says under which short id its requests go out."""

    short_id: str
    version: str
    """Key of the service version."""


class CalledBy(NamedTuple):
    """A service says that it was called by whoever bears a short id."""

    short_id: str
    callee: str
    """Key of the service version."""
    environment: str
    first_ns: int
    last_ns: int
    active_until_ns: int


class ReportedCalls(NamedTuple):
    """A counter of calls from one service to another, as somebody else keeps it."""

    series: bytes
    """What tells the counter from all others."""
    caller: Source
    callee: Source
    start_ns: int
    """Since when it counts; another start is a counter that began anew."""
    time_ns: int
    value: float
    is_delta: bool
    """Whether it counts from report to report, not since its start."""


class Rejections(NamedTuple):
    """Records refused one by one inside an accepted request, by constant reason."""

    counts: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> int:
        """All refused records."""
        return sum(count for _, count in self.counts)
