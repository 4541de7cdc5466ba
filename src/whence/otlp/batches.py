"""What goes into decoding and what comes out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from whence.errors import LimitExceeded
from whence.model.delta import GraphDelta
from whence.model.spans import CalledBy, CallerName, ErrorLog, Rejections, Span

UNKNOWN_SERVICE = "unknown_service"
BAD_ID_LENGTH = "bad_id_length"
ZERO_TRACE_ID = "zero_trace_id"
ZERO_SPAN_ID = "zero_span_id"
BAD_TIME = "bad_time"

MAX_FUTURE_NS = 86_400_000_000_000
"""How far ahead of us a sender's clock may be. There is no such bound on the past: incidents are replayed."""


class Encoding(StrEnum):
    """How a request is written down."""

    PROTOBUF = "protobuf"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bounds of one request."""

    max_body_bytes: int = 64 * 1024 * 1024
    """After decompression."""
    max_records: int = 1_000_000
    """Spans or log records."""

    def check_body(self, size: int) -> None:
        """Raises ``LimitExceeded`` for a body of more bytes than that."""
        if size > self.max_body_bytes:
            raise LimitExceeded(f"the body is larger than {self.max_body_bytes} bytes")

    def check_records(self, count: int) -> None:
        """Raises ``LimitExceeded`` for a request of more records than that."""
        if count > self.max_records:
            raise LimitExceeded(f"the request holds more than {self.max_records} records")


class TraceBatch(NamedTuple):
    """The spans of one request, in its order."""

    spans: list[Span]
    rejections: Rejections
    warnings: tuple[tuple[str, int], ...]
    """Things that were taken though they should be better, by constant name."""

    @property
    def records(self) -> int:
        """Spans that were accepted."""
        return len(self.spans)


class LogBatch(NamedTuple):
    """What the log records of one request state."""

    error_logs: list[ErrorLog]
    delta: GraphDelta
    """From entity events and flag evaluations: entities and relations, without counts."""
    names: list[CallerName]
    calls: list[CalledBy]
    """Which services bear those ids is for whoever reads all log records to find out."""
    records: int
    """Log records that were accepted, whether or not they state anything of use."""
    rejections: Rejections
    warnings: tuple[tuple[str, int], ...]


class Findings:
    """Counts of what was refused, and of what was taken with a frown, while one request is read."""

    def __init__(self) -> None:
        self.rejected: Counter[str] = Counter()
        self.warned: Counter[str] = Counter()

    def rejections(self) -> Rejections:
        """The refusals, sorted by reason."""
        return Rejections(tuple(sorted((+self.rejected).items())))

    def warnings(self) -> tuple[tuple[str, int], ...]:
        """The warnings, sorted by name."""
        return tuple(sorted(self.warned.items()))
