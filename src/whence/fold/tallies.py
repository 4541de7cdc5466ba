"""Counts in memory, before they become rows: one tally for each thing counted in one bucket of time."""

from __future__ import annotations

from dataclasses import dataclass, field

from whence.fold.catalog import Edge, Entry, Node, Operation
from whence.model.sketch import bucket_index

Sketch = dict[int, float]

_SMALL = 1 << 14
_SHIFT = 11
_SHIFTED_INDEX = 4 * _SHIFT  # each halving of a duration lowers its index by the four buckets of an octave
_INDEX_OF = bytes(map(bucket_index, range(_SMALL)))


def sketch_index(microseconds: int) -> int:
    """``sketch.bucket_index`` from a table: this runs several times for each span."""
    if microseconds < _SMALL:
        return _INDEX_OF[microseconds] if microseconds > 0 else 0
    if microseconds < _SMALL << _SHIFT:
        return _INDEX_OF[microseconds >> _SHIFT] + _SHIFTED_INDEX
    return bucket_index(microseconds)


@dataclass(eq=False, slots=True)
class OperationTally:
    """What a node did by itself; ``first_ns`` and ``last_ns`` bound the spans that were counted."""

    spans: int = 0
    calls: float = 0.0
    errors: float = 0.0
    origin_errors: float = 0.0
    error_logs: float = 0.0
    poor: float = 0.0
    self_time: Sketch = field(default_factory=dict)
    first_ns: int = 1 << 63
    last_ns: int = 0
    drained: int = 0
    """``spans`` when it was last drained; more since then means there is something to drain."""


@dataclass(eq=False, slots=True)
class EdgeTally:
    """Calls over one relation."""

    spans: int = 0
    calls: float = 0.0
    errors: float = 0.0
    origin_errors: float = 0.0
    latency: Sketch = field(default_factory=dict)
    gap: Sketch = field(default_factory=dict)
    first_ns: int = 1 << 63
    last_ns: int = 0
    drained: int = 0


@dataclass(eq=False, slots=True)
class ExposureTally:
    """Requests into one entry: of one set of nodes while they come in, of one node as they are drained."""

    spans: int = 0
    requests: float = 0.0
    requests_sq: float = 0.0
    errors: float = 0.0
    poor: float = 0.0
    latency: Sketch = field(default_factory=dict)

    def add(self, other: ExposureTally) -> None:
        """Add another tally to this one."""
        self.spans += other.spans
        self.requests += other.requests
        self.requests_sq += other.requests_sq
        self.errors += other.errors
        self.poor += other.poor
        latency = self.latency
        for index, weight in other.latency.items():
            latency[index] = latency.get(index, 0.0) + weight


@dataclass(eq=False, slots=True)
class Bucket:
    """All tallies of spans that start in one bucket of time."""

    start_s: int
    operations: dict[Operation, OperationTally] = field(default_factory=dict)
    edges: dict[Edge, EdgeTally] = field(default_factory=dict)
    incoming: dict[tuple[Entry, int], ExposureTally] = field(default_factory=dict)
    """Requests since the last drain, by entry and the set of nodes that they touched."""
    exposures: dict[tuple[Entry, Node | None], ExposureTally] = field(default_factory=dict)
    """All drained requests by entry and single node (None: whatever they touched)."""
