"""Compaction: rows of counts folded into wider buckets, one start at a time so that nobody waits for long.

How this works: a row moves in one transaction, added to its wide row and deleted, so a crash leaves it in one of the
two places. Wide rows belong to writers of their own, one for each hour (or day) in which what they hold was learned,
rounded up: a question of what was known then never sees more than was. A writer remembers up to where its rows were
folded, and ``counts`` takes nothing of it from before that: what comes again is not counted again. What another writer
counted for the same time is new, and the next pass folds it too.
"""

# Statements are put together from constants of this file alone; values are parameters.
# ruff: noqa: S608

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from whence.model import sketch
from whence.model.times import NS_PER_SECOND
from whence.store.embedded.rowids import RowIds
from whence.store.protocol import Compacted

_Row = tuple[Any, ...]


class _Table(NamedTuple):
    name: str
    key: tuple[str, ...]
    """Between ``start`` and ``writer``."""
    sums: tuple[str, ...]
    sketches: tuple[str, ...]


_TABLES = (
    _Table("edge_bucket", ("relation",), ("spans", "calls", "errors", "origin_errors"), ("latency", "gap")),
    _Table(
        "operation_bucket",
        ("node", "operation", "environment"),
        ("spans", "calls", "errors", "origin_errors", "error_logs", "poor"),
        ("self_time",),
    ),
    _Table(
        "exposure_bucket",
        ("service", "operation", "environment", "node"),
        ("spans", "requests", "requests_sq", "errors", "poor"),
        ("latency",),
    ),
)
_NEXT_START = "SELECT min(start) FROM {} WHERE start > ? AND start < ?"


def compact(ids: RowIds, after_s: int, before_s: int, width_s: int) -> Compacted | None:
    """Fold the rows of the first start in ``(after_s, before_s)``; None when there is none.

    Cost: some 20 µs for each row of one start, in one transaction.
    """
    before_s -= before_s % width_s
    with ids.transaction() as connection:
        starts = (connection.execute(_NEXT_START.format(t.name), (after_s, before_s)).fetchone()[0] for t in _TABLES)
        start = min((one for one in starts if one is not None), default=None)
        if start is None:
            return None
        return Compacted(start, sum(_fold(connection, ids, table, start, width_s) for table in _TABLES))


def _fold(connection: sqlite3.Connection, ids: RowIds, table: _Table, start: int, width_s: int) -> int:
    """Move the rows of one start that are narrower than ``width_s``; their number."""
    columns = ", ".join(f"b.{name}" for name in (*table.key, "writer", *table.sums, *table.sketches))
    narrow = connection.execute(
        f"SELECT w.known, {columns} FROM {table.name} b JOIN writer w ON w.id = b.writer "
        "WHERE b.start = ? AND w.width < ?",
        (start, width_s),
    ).fetchall()
    wide_start = start - start % width_s
    known_at, writer_at = 0, 1 + len(table.key)
    groups: defaultdict[_Row, list[_Row]] = defaultdict(list)
    for row in narrow:
        writer = _wide_writer(ids, row[known_at], width_s)
        groups[(wide_start, *row[1:writer_at], writer)].append(row[writer_at + 1 :])
    writers = {row[writer_at] for row in narrow}
    keys = [(start, *row[1 : writer_at + 1]) for row in narrow]
    connection.executemany(f"DELETE FROM {table.name} WHERE {_is_key(table)}", keys)
    for key, rows in groups.items():
        _add(connection, table, key, rows)
    until = wide_start + width_s
    connection.executemany("UPDATE writer SET folded = max(folded, ?) WHERE id = ?", [(until, one) for one in writers])
    return len(narrow)


def _wide_writer(ids: RowIds, known_ns: int, width_s: int) -> int:
    """Writer of the rows of one width that were learned in the same such span of time."""
    known_s = -(-known_ns // (width_s * NS_PER_SECOND)) * width_s
    return ids.wide_writer(f"{width_s} s-{known_s}", width_s)


def _add(connection: sqlite3.Connection, table: _Table, key: _Row, rows: list[_Row]) -> None:
    columns = ", ".join((*table.sums, *table.sketches))
    present = connection.execute(f"SELECT {columns} FROM {table.name} WHERE {_is_key(table)}", key).fetchone()
    counts = _total(table, rows if present is None else [present, *rows])
    marks = ", ".join("?" * (len(key) + len(counts)))
    names = ", ".join(("start", *table.key, "writer"))
    connection.execute(f"INSERT OR REPLACE INTO {table.name}({names}, {columns}) VALUES ({marks})", (*key, *counts))


def _total(table: _Table, rows: list[_Row]) -> list[object]:
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True))
    many = len(table.sums)
    return [*map(sum, columns[:many]), *map(_summed, columns[many:])]


def _summed(sketches: Iterable[bytes]) -> bytes:
    total: dict[int, float] = {}
    for data in sketches:
        sketch.add(total, sketch.decode(data).items())
    return sketch.encode(total)


def _is_key(table: _Table) -> str:
    return " AND ".join(f"{name} = ?" for name in ("start", *table.key, "writer"))
