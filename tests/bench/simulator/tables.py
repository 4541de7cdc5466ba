"""Snapshots of datasets with their profiles, and the defects that a snapshot may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tests.bench.simulator.draws import Draws
from tests.bench.simulator.world import Table


@dataclass(frozen=True, slots=True)
class Column:
    """Figures of one column."""

    null_rate: float
    distinct: int
    minimum: float
    maximum: float
    mean: float

    def wobbled(self, draws: Draws) -> Column:
        """The same column of another, equally sound snapshot."""
        return Column(
            null_rate=min(1.0, self.null_rate * draws.lognormal(1, 0.08)),
            distinct=max(1, int(self.distinct * draws.lognormal(1, 0.01))),
            minimum=self.minimum,
            maximum=self.maximum * draws.lognormal(1, 0.01),
            mean=self.mean * draws.lognormal(1, 0.01),
        )


@dataclass(frozen=True, slots=True)
class Contents:
    """What a snapshot holds, in figures."""

    rows: int
    columns: Mapping[str, Column]

    def wobbled(self, draws: Draws) -> Contents:
        """Another snapshot of the same table."""
        columns = {name: column.wobbled(draws) for name, column in self.columns.items()}
        return Contents(int(self.rows * draws.lognormal(1, 0.01)), columns)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of a table."""

    table: str
    version: str
    at_ns: int
    contents: Contents
    sources: Mapping[str, str] = field(default_factory=dict)
    """Versions of the tables that it was made of."""


def usual_contents(table: Table, draws: Draws) -> Contents:
    """What the snapshots of a table look like."""
    return Contents(table.rows, {name: _column(draws, table.rows) for name in table.columns})


def _column(draws: Draws, rows: int) -> Column:
    mean = draws.log_uniform(0.5, 500)
    null_rate = 0.0 if draws.chance(0.4) else draws.log_uniform(0.001, 0.1)
    return Column(null_rate, int(draws.log_uniform(5, rows)), 0.0, mean * draws.uniform(3, 20), mean)


Defect = Callable[[Contents, Draws], Contents]


def null_burst(contents: Contents, draws: Draws) -> Contents:
    """One column is mostly missing."""
    return _in_one_column(contents, draws, lambda old: replace(old, null_rate=draws.uniform(0.25, 0.95)))


def unit_change(contents: Contents, draws: Draws) -> Contents:
    """One column is counted in another unit."""
    factor = draws.choice((0.001, 0.01, 100.0, 1000.0))
    return _in_one_column(
        contents, draws, lambda old: replace(old, mean=old.mean * factor, maximum=old.maximum * factor)
    )


def category_remap(contents: Contents, draws: Draws) -> Contents:
    """One column has other categories than before; its mean moves somewhat."""
    return _in_one_column(
        contents,
        draws,
        lambda old: replace(
            old,
            distinct=max(2, int(old.distinct * draws.choice((0.3, 0.5, 1.6, 2.5)))),
            mean=old.mean * draws.choice((0.6, 0.8, 1.25, 1.7)),
        ),
    )


def torn(contents: Contents, draws: Draws) -> Contents:
    """Most rows are missing, or many came twice."""
    return replace(contents, rows=int(contents.rows * draws.choice((0.05, 0.2, 0.5, 1.8))))


def skewed(contents: Contents, draws: Draws) -> Contents:
    """Only some kinds of rows are in it."""
    moved = {
        name: replace(old, mean=old.mean * draws.lognormal(1, 0.35), distinct=max(1, int(old.distinct * 0.8)))
        for name, old in contents.columns.items()
    }
    return Contents(int(contents.rows * draws.uniform(0.5, 0.95)), moved)


def leaking(contents: Contents, draws: Draws) -> Contents:
    """A column that knows the answer."""
    return _in_one_column(contents, draws, lambda old: replace(old, distinct=2, maximum=1.0, mean=draws.uniform(0, 1)))


def renamed(contents: Contents, draws: Draws) -> Contents:
    """One column goes by another name."""
    name = draws.choice(sorted(contents.columns))
    columns = {(f"{one}_id" if one == name else one): column for one, column in contents.columns.items()}
    return replace(contents, columns=columns)


def widened(contents: Contents, draws: Draws) -> Contents:
    """One column more; this harms nobody."""
    return replace(contents, columns={**contents.columns, draws.hex(6): _column(draws, contents.rows)})


def unseen(contents: Contents, _draws: Draws) -> Contents:
    """Wrong values that no figure of a profile shows."""
    return contents


DEFECTS: Mapping[str, Defect] = MappingProxyType(
    {"null burst": null_burst, "unit change": unit_change, "category remap": category_remap, "torn": torn}
)


def _in_one_column(contents: Contents, draws: Draws, change: Callable[[Column], Column]) -> Contents:
    name = draws.choice(sorted(contents.columns))
    return replace(contents, columns={**contents.columns, name: change(contents.columns[name])})
