"""Row ids for the writer: remembered, else looked up, else given out by inserting what is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from whence.model.delta import Entity, RelationKey
from whence.model.kinds import KIND_STRENGTH
from whence.store.embedded.ids import IdCache
from whence.store.embedded.transactions import transaction
from whence.store.rules import placeholder, writer_known_ns

_SURE = 2
_FIND_TERM = "SELECT id FROM term WHERE text = ?"
_ADD_TERM = "INSERT INTO term(text) VALUES (?) RETURNING id"
_FIND_WRITER = "SELECT id FROM writer WHERE name = ?"
_ADD_WRITER = "INSERT INTO writer(name, known) VALUES (?, ?) RETURNING id"
_WIDEN_WRITER = "UPDATE writer SET width = ? WHERE id = ? AND width <> ?"
_FIND_ENTITY = "SELECT id FROM entity WHERE key = ?"
_ADD_ENTITY = """
INSERT INTO entity(key, base, name, kind, strength, first, last) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
_FIND_RELATION = "SELECT id FROM relation WHERE (src, type, dst, environment, layer) = (?, ?, ?, ?, ?)"
_ADD_RELATION = """
INSERT INTO relation(src, type, dst, environment, layer, first, last, until, known)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""


class RowIds:
    """Ids of what the rows of a delta refer to. Belongs to the writing connection and its one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._terms: IdCache[str] = IdCache()
        self._writers: IdCache[str] = IdCache()
        self._entities: IdCache[str] = IdCache()
        self._relations: IdCache[RelationKey] = IdCache()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction; what it taught us of ids is kept only if it commits."""
        caches = (self._terms, self._writers, self._entities, self._relations)
        try:
            with transaction(self._connection, "BEGIN IMMEDIATE"):
                yield self._connection
        except BaseException:
            for cache in caches:
                cache.rollback()
            raise
        for cache in caches:
            cache.commit()

    def term(self, text: str) -> int:
        """Id of an interned text."""
        known = self._terms.get(text)
        return known or self._terms.add(text, self._find(_FIND_TERM, text) or self._add(_ADD_TERM, text))

    def writer(self, name: str) -> int:
        """Id of a writer of counts."""
        known = self._writers.get(name)
        if known:
            return known
        found = self._find(_FIND_WRITER, name) or self._add(_ADD_WRITER, name, writer_known_ns(name))
        return self._writers.add(name, found)

    def wide_writer(self, name: str, width_s: int) -> int:
        """Id of the writer of rows that compaction made so wide."""
        found = self.writer(name)
        self._connection.execute(_WIDEN_WRITER, (width_s, found, width_s))
        return found

    def entity(self, key: str, seen_ns: int) -> int:
        """Id of an entity; one that nobody described gets a placeholder, seen when it was named."""
        known = self._entities.get(key)
        if known:
            return known
        found = self._find(_FIND_ENTITY, key) or self._add(_ADD_ENTITY, *entity_row(placeholder(key, seen_ns)))
        return self._entities.add(key, found)

    def relation(self, key: RelationKey, seen_ns: int) -> int:
        """Id of a relation; counts of one that nobody described show that it was there when they were counted."""
        known = self._relations.get(key)
        if known:
            return known
        ends = self.ends(key, seen_ns)
        found = self._find(_FIND_RELATION, *ends) or self._add(_ADD_RELATION, *ends, *[seen_ns] * 4)
        return self._relations.add(key, found)

    def ends(self, key: RelationKey, seen_ns: int) -> tuple[int, int, int, int, int]:
        """Identity of a relation in ids, as the table has it."""
        return (
            self.entity(key.src, seen_ns),
            self.term(key.type),
            self.entity(key.dst, seen_ns),
            self.term(key.environment),
            self.term(key.layer),
        )

    def _find(self, statement: str, *values: str | int) -> int | None:
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else int(row[0])

    def _add(self, statement: str, *values: str | int) -> int:
        return int(self._connection.execute(statement, values).fetchone()[0])


def entity_row(entity: Entity) -> tuple[str, str, str, str, int, int, int]:
    """An entity as its table has it, without its attributes."""
    name = entity.key.rpartition("#")[2]
    strength = KIND_STRENGTH.get(entity.kind, _SURE)
    return entity.key, entity.base, name, entity.kind, strength, entity.first_seen_ns, entity.last_seen_ns
