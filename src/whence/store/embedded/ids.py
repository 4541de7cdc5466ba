"""Ids that the database gave out: remembered by who writes, decoded by who reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from whence.model.rows import Names

MAX_REMEMBERED = 500_000

K = TypeVar("K")


class IdCache(Generic[K]):
    """Ids of rows by their keys. Rows are never removed and ids never change, so an entry stays true.

    Ids of an open transaction are kept apart until it commits: a rolled back id may be given to another row.
    """

    def __init__(self) -> None:
        self._committed: dict[K, int] = {}
        self._fresh: dict[K, int] = {}

    def get(self, key: K) -> int | None:
        """Id of a row, or None if it has to be looked up."""
        return self._committed.get(key) or self._fresh.get(key)

    def add(self, key: K, row_id: int) -> int:
        """Remember an id that the open transaction saw, and give it back."""
        self._fresh[key] = row_id
        return row_id

    def commit(self) -> None:
        """The transaction is durable. Starts over when full, which costs one look-up for each row still in use."""
        if len(self._committed) + len(self._fresh) > MAX_REMEMBERED:
            self._committed.clear()
        self._committed.update(self._fresh)
        self._fresh.clear()

    def rollback(self) -> None:
        """The transaction never was."""
        self._fresh.clear()


class Terms:
    """Interned texts as readers see them. Shared by all reading threads; only ever grows."""

    ABSENT = -1
    """Id of a text that no row uses; equals no id."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._last = 0

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Learn the terms that were added since. Call it first in each read transaction."""
        rows = connection.execute("SELECT id, text FROM term WHERE id > ?", (self._last,)).fetchall()
        for term_id, text in rows:
            self._texts[term_id] = text
            self._ids[text] = term_id
        if rows:
            self._last = max(term_id for term_id, _ in rows)

    def text(self, term_id: int) -> str:
        """The text of an id that some row holds."""
        return self._texts[term_id]

    def id(self, text: str) -> int:
        """Id of a text, or ``ABSENT``."""
        return self._ids.get(text, self.ABSENT)

    def ids(self, texts: Iterable[str]) -> list[int]:
        """Ids of those texts that some row uses."""
        return [term_id for text in texts if (term_id := self._ids.get(text)) is not None]

    def column(self, ids: Sequence[int]) -> Names[str]:
        """The texts of the ids of some rows."""
        return Names.by_id(ids, self._texts)
