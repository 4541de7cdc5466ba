"""Names for numpy columns, and the few groupings that everything here is built from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np

from whence.model.rows import Floats, Ints

__all__ = ["Floats", "Grouping", "Ints", "in_first_order", "median_of_known", "numbered", "sum_by"]

K = TypeVar("K", bound=Hashable)


def sum_by(group: Ints, values: Floats, groups: int) -> Floats:
    """Sum of values by group number in ``[0, groups)``."""
    return np.bincount(group, weights=values, minlength=groups).astype(np.float64)


def numbered(items: Sequence[K]) -> tuple[Ints, dict[K, int]]:
    """A number for each item, equal items alike, and the numbers by item."""
    numbers: dict[K, int] = {}
    codes = [numbers.setdefault(item, len(numbers)) for item in items]
    return np.array(codes, dtype=np.int64), numbers


def in_first_order(codes: Ints) -> tuple[Ints, Ints]:
    """Codes numbered anew as they first appear, and the position at which each does."""
    _, first, dense = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    return number[dense], first[order]


def median_of_known(rows: Floats) -> Floats:
    """Median of each column, NaN ignored; every column must hold something else.

    The same as numpy's ``nanmedian``, which is many times slower on few rows.
    """
    ascending = np.sort(rows, axis=0)
    known = np.count_nonzero(~np.isnan(rows), axis=0)
    column = np.arange(rows.shape[1])
    result: Floats = (ascending[(known - 1) // 2, column] + ascending[known // 2, column]) / 2
    return result


class Grouping:
    """Rows of a matrix gathered by group number in ``[0, groups)``."""

    def __init__(self, group: Ints, groups: int) -> None:
        self._order = np.argsort(group, kind="stable")
        self._groups = groups
        self.present, self._starts = np.unique(group[self._order], return_index=True)
        """Groups that have rows, ascending."""
        self.sizes = np.bincount(group, minlength=groups)

    def total(self, rows: Floats) -> Floats:
        """Sum by group; 0 where a group has no rows."""
        result = np.zeros((self._groups, rows.shape[1]))
        if len(self.present):
            result[self.present] = np.add.reduceat(rows[self._order], self._starts, axis=0)
        return result

    def maximum(self, rows: Floats) -> Floats:
        """Maximum by group, NaN ignored; NaN where a group has nothing else."""
        result = np.full((self._groups, rows.shape[1]), np.nan)
        if len(self.present):
            result[self.present] = np.fmax.reduceat(rows[self._order], self._starts, axis=0)
        return result

    def heaviest(self, weights: Floats) -> list[int]:
        """Row of the greatest weight in each present group, in the order of ``present``."""
        ends = np.append(self._starts, len(self._order))[1:]
        members = (self._order[start:end] for start, end in zip(self._starts, ends, strict=True))
        return [int(rows[np.argmax(weights[rows])]) for rows in members]
