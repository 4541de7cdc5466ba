"""Counts in memory, before they become rows: tables of numbers, one row for each thing counted in a bucket of time.

How this works: counting thousands of spans one by one costs a Python call for each number, so a table takes whole
columns at once: which thing each count is for, and what to add. Sketches are dense here (a small number for each of
the sketch's buckets), and become sparse when they are drained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from whence.model.sketch import MAX_INDEX, bucket_index

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WIDTH = MAX_INDEX + 1
_RECORD = np.dtype([("index", "u1"), ("weight", "<f4")])
_SMALL = 1 << 14
_INDEX_OF = np.array([bucket_index(microseconds) for microseconds in range(_SMALL)], np.int64)
_FIRST_ROWS = 32
_FEW_ROWS = 2
"""Up to so many rows for each thing to add, adding to all rows costs less than finding the ones concerned."""


def sketch_indices(microseconds: Ints) -> Ints:
    """``sketch.bucket_index`` of many durations."""
    clipped = np.clip(microseconds, 0, _SMALL - 1)
    indices: Ints = _INDEX_OF[clipped]
    large = np.flatnonzero(microseconds >= _SMALL)
    if large.size:
        values = microseconds[large]
        bits = np.frexp(values.astype(np.float64))[1].astype(np.int64)
        indices[large] = np.minimum((bits << 2) + ((values >> (bits - 3)) & 3) - 8, MAX_INDEX)
    return indices


def encode_rows(sketches: NDArray[np.float32]) -> list[bytes]:
    """The stored form of each row of a matrix of sketches."""
    rows, indices = np.nonzero(sketches)
    records = np.empty(len(rows), _RECORD)
    records["index"] = indices
    records["weight"] = sketches[rows, indices]
    data = records.tobytes()
    ends = (np.searchsorted(rows, np.arange(1, len(sketches) + 1)) * _RECORD.itemsize).tolist()
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class Additions(NamedTuple):
    """Columns of equal length: what to add to which thing."""

    things: Ints
    """Number of the thing counted."""
    start_ns: Ints
    end_ns: Ints
    numbers: Sequence[Floats]
    """The table's own counts, in its order."""
    indices: Ints
    """Where to add in the table's first sketch."""
    weights: Floats
    """And how much."""


class ChangedRow(NamedTuple):
    """All that was counted of one thing."""

    thing: int
    counts: tuple[Any, ...]
    """Raw count, numbers and sketches: the fields of its row in a delta, in their order."""
    first_ns: int
    last_ns: int


class Table:
    """Rows of ``numbers`` (floats), raw counts, times and sketches by thing. Things are small whole numbers."""

    def __init__(self, numbers: int, sketches: int = 1) -> None:
        self.things: list[int] = []
        """By row."""
        self._row_of: Ints = np.full(_FIRST_ROWS, -1, np.int64)
        self.spans: Ints = np.zeros(_FIRST_ROWS, np.int64)
        self.numbers: Floats = np.zeros((numbers, _FIRST_ROWS), np.float64)
        self.first_ns: Ints = np.full(_FIRST_ROWS, np.iinfo(np.int64).max, np.int64)
        self.last_ns: Ints = np.zeros(_FIRST_ROWS, np.int64)
        self.sketches: NDArray[np.float32] = np.zeros((sketches, _FIRST_ROWS, WIDTH), np.float32)
        self._is_changed: Bools = np.zeros(_FIRST_ROWS, np.bool_)

    def add(self, new: Additions) -> None:
        """Add columns; a thing may occur many times in them."""
        rows = self._rows(new.things)
        touched, compact = np.arange(len(self.things)), rows
        if len(touched) > _FEW_ROWS * len(rows):
            touched, compact = np.unique(rows, return_inverse=True)
        size = len(touched)
        self.spans[touched] += np.bincount(compact, minlength=size)
        for total, column in zip(self.numbers, new.numbers, strict=True):
            total[touched] += np.bincount(compact, column, size)
        np.minimum.at(self.first_ns, rows, new.start_ns)
        np.maximum.at(self.last_ns, rows, new.end_ns)
        self._is_changed[rows] = True
        self.add_sketch(0, new.things, new.indices, new.weights)

    def add_sketch(self, number: int, things: Ints, indices: Ints, weights: Floats) -> None:
        """Add to one of the sketches of things that have a row."""
        flat = self.sketches[number].reshape(-1)
        np.add.at(flat, self._row_of[things] * WIDTH + indices, weights.astype(np.float32))

    def take_changed(self) -> Iterator[ChangedRow]:
        """Rows that changed since the last call."""
        changed = np.flatnonzero(self._is_changed)
        self._is_changed[changed] = False
        things = (self.things[row] for row in changed.tolist())
        sketches = (encode_rows(sketch[changed]) for sketch in self.sketches)
        counts = zip(self.spans[changed].tolist(), *self.numbers[:, changed].tolist(), *sketches, strict=True)
        times = self.first_ns[changed].tolist(), self.last_ns[changed].tolist()
        return map(ChangedRow, things, counts, *times)

    def _rows(self, things: Ints) -> Ints:
        highest = int(things.max())
        if highest >= len(self._row_of):
            self._row_of = _grown(self._row_of, highest + 1, -1)
        rows = self._row_of[things]
        if rows.min() < 0:
            for thing in np.unique(things[rows < 0]).tolist():
                self._row_of[thing] = len(self.things)
                self.things.append(thing)
            self._reserve(len(self.things))
            rows = self._row_of[things]
        return rows

    def _reserve(self, size: int) -> None:
        if size <= len(self.spans):
            return
        self.spans = _grown(self.spans, size, 0)
        self.numbers = _grown(self.numbers, size, 0, axis=1)
        self.first_ns = _grown(self.first_ns, size, np.iinfo(np.int64).max)
        self.last_ns = _grown(self.last_ns, size, 0)
        self.sketches = _grown(self.sketches, size, 0, axis=1)
        self._is_changed = _grown(self._is_changed, size, fill=False)


def error_log(operation: int, time_ns: int) -> Additions:
    """One error log of an operation. It has no duration, so it leaves the sketch alone by a weight of nothing."""
    one, when = np.array([operation], np.int64), np.array([time_ns], np.int64)
    nothing, once = np.zeros(1), np.ones(1)
    numbers = (nothing, nothing, nothing, once, nothing)
    return Additions(one, when, when, numbers, np.zeros(1, np.int64), nothing)


OPERATION_NUMBERS = ("calls", "errors", "origin_errors", "error_logs", "poor")
EDGE_NUMBERS = ("calls", "errors", "origin_errors")
EXPOSURE_NUMBERS = ("requests", "requests_sq", "errors", "poor")
GAP = 1
"""Number of an edge's second sketch."""


@dataclass(eq=False, slots=True)
class Bucket:
    """All counts of spans that start in one bucket of time."""

    start_s: int
    operations: Table = field(default_factory=lambda: Table(len(OPERATION_NUMBERS)))
    """By ``Operation.number``."""
    edges: Table = field(default_factory=lambda: Table(len(EDGE_NUMBERS), sketches=2))
    """By ``Edge.number``."""
    exposures: Table = field(default_factory=lambda: Table(len(EXPOSURE_NUMBERS)))
    """By number of the exposure."""


A = TypeVar("A", bound=np.generic)


def _grown(array: NDArray[A], size: int, fill: object, axis: int = 0) -> NDArray[A]:
    """The array with room for ``size`` along an axis, and some to spare."""
    shape = list(array.shape)
    shape[axis] = max(size, 2 * shape[axis])
    grown = np.full(shape, fill, array.dtype)
    grown[tuple(slice(0, length) for length in array.shape)] = array
    return grown
