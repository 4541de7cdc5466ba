"""Latency sketch: a histogram of microseconds with four buckets per power of two (relative error at most 12 %).

In memory a sketch is a dict of bucket index to weight. Stored it is a run of (u8 index, f32 weight) records, little
endian, sorted by index: five bytes for each bucket that was hit, and thousands of them decode in one numpy call.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

_RECORD = struct.Struct("<Bf")
RECORD_BYTES = _RECORD.size
MAX_INDEX = 175


def bucket_index(microseconds: int) -> int:
    """Index of the bucket that holds a duration; negative durations count as 0."""
    if microseconds < 8:
        return max(microseconds, 0)
    bits = microseconds.bit_length()
    index = (bits << 2) + ((microseconds >> (bits - 3)) & 3) - 8
    return min(index, MAX_INDEX)


def bucket_bounds(index: int) -> tuple[int, int]:
    """Microseconds that fall into a bucket, as ``[low, high)``."""
    if index < 8:
        return index, index + 1
    octave, quarter = divmod(index - 8, 4)
    return (4 + quarter) << (octave + 1), (5 + quarter) << (octave + 1)


def encode(counts: Mapping[int, float]) -> bytes:
    """The stored form; empty in, empty out."""
    return b"".join(_RECORD.pack(index, counts[index]) for index in sorted(counts))


def decode(data: bytes) -> dict[int, float]:
    """The in-memory form of one stored sketch. For many at once see ``rca.sketches``."""
    return dict(_RECORD.iter_unpack(data))


def add(total: dict[int, float], other: Iterable[tuple[int, float]]) -> None:
    """Add the buckets of one sketch to another, in place."""
    for index, weight in other:
        total[index] = total.get(index, 0.0) + weight


def quantile(counts: Mapping[int, float], fraction: float) -> float | None:
    """Microseconds below which ``fraction`` of the weight lies, interpolated inside its bucket; None when empty."""
    total = sum(counts.values())
    if total <= 0:
        return None
    wanted, seen = fraction * total, 0.0
    for index in sorted(counts):
        weight = counts[index]
        if seen + weight >= wanted:
            low, high = bucket_bounds(index)
            return low + (high - low) * ((wanted - seen) / weight if weight else 0.0)
        seen += weight
    return float(bucket_bounds(max(counts))[1])
