"""Counts and durations of many places over time, as dense columns that any split in two can be read from.

Durations are kept as moments of their logarithm, so a shift is a ratio and one slow outlier can't make it. All arrays
are cumulated over time: what lies before and after a split is a difference of two columns, so all splits of all series
are judged in a few numpy calls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whence.model.rows import Blobs, Names
from whence.rca.columns import Floats, Ints, sum_by
from whence.rca.sketches import LOG_MIDDLE, MIDDLE_US, decode_all

Place = tuple[str, str]
"""Entity that something is attributed to, and what of it: an operation, or the other end of a call."""
MIN_DURATIONS = 3.0
SKETCH_VARIANCE = 0.05
"""Of ln(duration): width of a sketch bucket, and a floor for series that hardly vary."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The buckets that all series of a case share. Split ``k`` has the buckets before number ``k`` on its left."""

    first: int
    """Number of the first bucket since the epoch."""
    count: int
    bucket_s: int

    def split_at(self, at_s: int) -> int:
        """Split whose left side ends before an instant; the bucket that holds the instant lies on the right."""
        return min(max(at_s // self.bucket_s - self.first, 0), self.count)

    def instant_s(self, split: int) -> int:
        """Start of the right side in epoch seconds."""
        return (self.first + split) * self.bucket_s


def clock_of(starts: Ints, bucket_s: int) -> Clock:
    """The clock that spans some bucket starts in epoch seconds."""
    if not len(starts):
        return Clock(0, 0, bucket_s)
    first, last = int(starts.min()) // bucket_s, int(starts.max()) // bucket_s
    return Clock(first, last - first + 1, bucket_s)


class Series:
    """Series over one clock. Rows may come in any order and several for one bucket."""

    def __init__(self, places: Names[Place], starts: Ints, clock: Clock) -> None:
        self.places: tuple[Place, ...] = places.values
        self._clock = clock
        self._cell: Ints = places.codes * clock.count + starts // clock.bucket_s - clock.first

    def __len__(self) -> int:
        return len(self.places)

    def cumulated(self, values: Floats) -> Floats:
        """One value for each row, summed into buckets and over time; shape ``[series, buckets + 1]``."""
        return self._cumulate(self._cell, values)

    def durations(self, blobs: Blobs) -> Durations:
        """Moments of ln(duration) from one sketch for each row."""
        sketches = decode_all(blobs)
        cells, logs = self._cell[sketches.row], LOG_MIDDLE[sketches.bucket]
        return Durations(
            self._cumulate(cells, sketches.weight),
            self._cumulate(cells, sketches.weight * logs),
            self._cumulate(cells, sketches.weight * logs**2),
            self._cumulate(cells, sketches.weight * MIDDLE_US[sketches.bucket] / 1000),
        )

    def _cumulate(self, cells: Ints, values: Floats) -> Floats:
        buckets = self._clock.count
        summed = sum_by(cells, values, len(self) * buckets).reshape(len(self), buckets)
        return np.concatenate([np.zeros((len(self), 1)), np.cumsum(summed, axis=1)], axis=1)


@dataclass(frozen=True, slots=True)
class Sides:
    """A count of each series on both sides of every split; shape ``[series, buckets + 1]``."""

    before: Floats
    after: Floats


def sides(cumulated: Floats) -> Sides:
    """Both sides of every split."""
    return Sides(cumulated, cumulated[:, -1:] - cumulated)


@dataclass(frozen=True, slots=True)
class Shift:
    """Movement of the mean ln(duration) across every split (NaN where a side holds too little), and its variance."""

    moved: Floats
    variance: Floats
    before: Floats
    after: Floats


@dataclass(frozen=True, slots=True)
class Durations:
    """Cumulated weight, sum and sum of squares of ln(microseconds), and milliseconds in all."""

    weight: Floats
    first: Floats
    second: Floats
    spent: Floats

    def shift(self) -> Shift:
        """How the mean of ln(duration) moved across each split."""
        weights, firsts, seconds = sides(self.weight), sides(self.first), sides(self.second)
        before, before_variance = _mean(weights.before, firsts.before, seconds.before)
        after, after_variance = _mean(weights.after, firsts.after, seconds.after)
        enough = np.minimum(weights.before, weights.after) >= MIN_DURATIONS
        return Shift(np.where(enough, after - before, np.nan), before_variance + after_variance, before, after)

    def added(self) -> Floats:
        """Milliseconds after each split beyond what as many would have taken before it."""
        weights, spent = sides(self.weight), sides(self.spent)
        result: Floats = spent.after - spent.before / np.maximum(weights.before, 1e-9) * weights.after
        return result


def _mean(weight: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    safe = np.maximum(weight, 1e-9)
    mean = first / safe
    variance = np.maximum(second / safe - mean**2, 0.0) + SKETCH_VARIANCE
    return mean, variance / np.maximum(weight, 1.0)
