"""Counts in memory, before they become rows.

How this works: one thing that happened is one ``int``, a *code*: the number of what it happened to, marks for how it
went, and the index of how long it took in a latency sketch. So most of folding is ``counts[code] += 1``. Only a drain
takes codes apart and adds them to tallies, each distinct code once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from whence.model.sketch import bucket_index

INDEX_BITS = 8
INDEX_MASK = (1 << INDEX_BITS) - 1
ERROR, ORIGIN, POOR = 1 << INDEX_BITS, 2 << INDEX_BITS, 4 << INDEX_BITS
"""Marks: it failed; the failure began here; it answered, but badly."""
_NUMBER_SHIFT = INDEX_BITS + 3

Sketch = dict[int, float]

SMALL_US = 1 << 14
_SHIFT = 11
_SHIFTED_INDEX = 4 * _SHIFT  # each halving of a duration lowers its index by the four buckets of an octave
INDEX_OF_SMALL = bytes(map(bucket_index, range(SMALL_US)))
"""``sketch.bucket_index`` of all small durations, for the hot path."""


def code_of(number: int) -> int:
    """The code of something that was numbered, without marks and index."""
    return number << _NUMBER_SHIFT


def number_of(code: int) -> int:
    """Inverse of ``code_of``, whatever the marks and index."""
    return code >> _NUMBER_SHIFT


def index_of(microseconds: int) -> int:
    """``sketch.bucket_index`` from a table."""
    if microseconds < SMALL_US:
        return INDEX_OF_SMALL[microseconds] if microseconds > 0 else 0
    if microseconds < SMALL_US << _SHIFT:
        return INDEX_OF_SMALL[microseconds >> _SHIFT] + _SHIFTED_INDEX
    return bucket_index(microseconds)


@dataclass(eq=False, slots=True)
class Tally:
    """Things of one kind that happened in one bucket of time; ``spans`` is raw, the rest weighted."""

    spans: int = 0
    weight: float = 0.0
    weight_sq: float = 0.0
    errors: float = 0.0
    origin_errors: float = 0.0
    poor: float = 0.0
    error_logs: float = 0.0
    times: Sketch = field(default_factory=dict)
    gaps: Sketch = field(default_factory=dict)

    def add(self, code: int, count: int, weight: float) -> None:
        """Add ``count`` things of one code that weigh ``weight`` each."""
        total = count * weight
        self.spans += count
        self.weight += total
        self.weight_sq += total * weight
        if code & ERROR:
            self.errors += total
        if code & ORIGIN:
            self.origin_errors += total
        if code & POOR:
            self.poor += total
        index = code & INDEX_MASK
        self.times[index] = self.times.get(index, 0.0) + total

    def add_gap(self, code: int, count: int, weight: float) -> None:
        """Add ``count`` gaps between caller and callee; the calls themselves are added apart."""
        index = code & INDEX_MASK
        self.gaps[index] = self.gaps.get(index, 0.0) + count * weight

    def add_logs(self, count: int) -> None:
        """Add error logs, which have no duration and no weight."""
        self.spans += count
        self.error_logs += count
