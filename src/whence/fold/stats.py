"""What became of the spans that were pushed; every way of losing precision has its counter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class FoldStats(NamedTuple):
    """Totals since the folder was made, but for ``open_spans``."""

    spans: int
    """Pushed."""
    traces_closed: int
    late_traces: int
    """Traces that got further spans after they had been closed: what came late was counted as a trace of its own."""
    duplicate_spans: int
    """Dropped because their ids had been there before."""
    evicted_full: int
    """Traces closed early because too many spans were open."""
    paired: int
    """Calls whose both ends were there."""
    unpaired_callers: int
    """Client spans without a span of the server, and without naming what they called in any other way."""
    unknown_callers: int
    """Server spans whose parent never came."""
    open_spans: int
    """Waiting for their trace to end, now."""


@dataclass(slots=True)
class Totals:
    """The counters while they grow; see ``FoldStats``."""

    spans: int = 0
    traces_closed: int = 0
    late_traces: int = 0
    duplicate_spans: int = 0
    evicted_full: int = 0
    paired: int = 0
    unpaired_callers: int = 0
    unknown_callers: int = 0
