"""Rows of counts by column, as stores read them and the ranking computes on them: thousands at a time.

A table is a sequence of its rows, so that few rows are as handy as a list. Who has many takes the columns.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from whence.model.delta import RelationKey
from whence.model.graph import EdgeRow, ExposureRow, OperationRow

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Blobs = NDArray[np.object_]
"""Each item is ``bytes``."""
K = TypeVar("K", bound=Hashable)
R = TypeVar("R", EdgeRow, OperationRow, ExposureRow)


@dataclass(frozen=True, slots=True, eq=False)
class Names(Generic[K]):
    """A column of few distinct values: that of row ``i`` is ``values[codes[i]]``."""

    values: tuple[K, ...]
    """Each once; some may belong to no row."""
    codes: Ints

    @classmethod
    def of(cls, items: Iterable[K]) -> Names[K]:
        """The column of these items, numbered as they first appear."""
        numbers: dict[K, int] = {}
        codes = [numbers.setdefault(item, len(numbers)) for item in items]
        return cls(tuple(numbers), np.array(codes, dtype=np.int64))

    @classmethod
    def by_id(cls, ids: Sequence[int], values: Mapping[int, K]) -> Names[K]:
        """The column of items that a store knows by numbers of its own."""
        present, codes = np.unique(np.array(ids, dtype=np.int64), return_inverse=True)
        return cls(tuple(values[one] for one in present.tolist()), codes.astype(np.int64))

    @classmethod
    def only(cls, item: K, rows: int) -> Names[K]:
        """The column that holds the same item in every row."""
        return cls((item,), np.zeros(rows, dtype=np.int64))

    @classmethod
    def repeated(cls, items: Sequence[K], times: Sequence[int]) -> Names[K]:
        """The column in which each item fills so many rows."""
        named = cls.of(items)
        return cls(named.values, np.repeat(named.codes, times))

    def __getitem__(self, rows: Ints) -> Names[K]:
        """The column of some rows, in their order."""
        return Names(self.values, self.codes[rows])

    def tolist(self) -> list[K]:
        """The value of each row."""
        return [self.values[code] for code in self.codes.tolist()]


Column = Names[Any] | NDArray[Any]


class Rows(Sequence[R]):
    """A table: one column for each field of its rows, in the order of the fields."""

    __slots__ = ()
    row: ClassVar[type[Any]]
    start_s: Ints

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column."""
        return tuple(getattr(self, name) for name in self.row._fields)

    def take(self, rows: Ints) -> Self:
        """The table of some rows, in their order."""
        return self.having(column[rows] for column in self.columns)

    def having(self, columns: Iterable[Column]) -> Self:
        """A table of the same sort with these columns."""
        return type(self)(*columns)

    def __len__(self) -> int:
        return len(self.start_s)

    def __iter__(self) -> Iterator[R]:
        return map(self.row._make, zip(*(column.tolist() for column in self.columns), strict=True))

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> Self: ...
    def __getitem__(self, at: int | slice) -> R | Self:
        if isinstance(at, slice):
            return self.take(np.arange(len(self))[at])
        (found,) = self.take(np.array([range(len(self))[at]]))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class EdgeRows(Rows[EdgeRow]):
    """Columns of ``EdgeRow``."""

    row = EdgeRow
    relation: Names[RelationKey]
    start_s: Ints
    calls: Floats
    errors: Floats
    origin_errors: Floats
    latency: Blobs
    gap: Blobs

    @classmethod
    def of(cls, rows: Iterable[EdgeRow]) -> EdgeRows:
        """The table of these rows."""
        relation, *counts = by_column(rows, len(EdgeRow._fields))
        return cls.counted(Names.of(relation), counts)

    @classmethod
    def counted(cls, relation: Names[RelationKey], counts: Sequence[Sequence[Any]]) -> EdgeRows:
        """The table with these columns after the relation."""
        start_s, calls, errors, origin_errors, latency, gap = counts
        return cls(
            relation,
            ints(start_s),
            floats(calls),
            floats(errors),
            floats(origin_errors),
            blobs(latency),
            blobs(gap),
        )


@dataclass(frozen=True, slots=True, eq=False)
class OperationRows(Rows[OperationRow]):
    """Columns of ``OperationRow``."""

    row = OperationRow
    node: Names[str]
    operation: Names[str]
    start_s: Ints
    calls: Floats
    errors: Floats
    origin_errors: Floats
    error_logs: Floats
    poor: Floats
    self_time: Blobs

    @classmethod
    def of(cls, rows: Iterable[OperationRow]) -> OperationRows:
        """The table of these rows."""
        node, operation, *counts = by_column(rows, len(OperationRow._fields))
        return cls.counted(Names.of(node), Names.of(operation), counts)

    @classmethod
    def counted(cls, node: Names[str], operation: Names[str], counts: Sequence[Sequence[Any]]) -> OperationRows:
        """The table with these columns after node and operation."""
        start_s, calls, errors, origin_errors, error_logs, poor, self_time = counts
        return cls(
            node,
            operation,
            ints(start_s),
            floats(calls),
            floats(errors),
            floats(origin_errors),
            floats(error_logs),
            floats(poor),
            blobs(self_time),
        )


@dataclass(frozen=True, slots=True, eq=False)
class ExposureRows(Rows[ExposureRow]):
    """Columns of ``ExposureRow``."""

    row = ExposureRow
    service: Names[str]
    operation: Names[str]
    node: Names[str]
    start_s: Ints
    requests: Floats
    requests_sq: Floats
    errors: Floats
    poor: Floats
    latency: Blobs

    @classmethod
    def of(cls, rows: Iterable[ExposureRow]) -> ExposureRows:
        """The table of these rows."""
        service, operation, node, *counts = by_column(rows, len(ExposureRow._fields))
        return cls.counted((Names.of(service), Names.of(operation), Names.of(node)), counts)

    @classmethod
    def counted(cls, names: tuple[Names[str], Names[str], Names[str]], counts: Sequence[Sequence[Any]]) -> ExposureRows:
        """The table with these columns after service, operation and node."""
        start_s, requests, requests_sq, errors, poor, latency = counts
        return cls(
            *names,
            ints(start_s),
            floats(requests),
            floats(requests_sq),
            floats(errors),
            floats(poor),
            blobs(latency),
        )


def by_column(rows: Iterable[Sequence[Any]], columns: int) -> Sequence[Sequence[Any]]:
    """Rows turned into so many columns, also when there are none."""
    return tuple(zip(*rows, strict=True)) or ((),) * columns


def ints(items: Sequence[int]) -> Ints:
    """A column of whole numbers."""
    return np.array(items, dtype=np.int64)


def floats(items: Sequence[float]) -> Floats:
    """A column of numbers."""
    return np.array(items, dtype=np.float64)


def blobs(items: Sequence[bytes]) -> Blobs:
    """A column of bytes."""
    return np.array(items, dtype=np.object_)
