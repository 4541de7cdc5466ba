"""One read transaction: the connection, the interned texts, and rows made into the model's values."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from whence.model.delta import Attribute, Entity, RelationKey
from whence.model.kinds import EntityKind, Layer, RelationType
from whence.store.embedded.ids import Terms

Row = tuple[Any, ...]

_KINDS = {kind.value: kind for kind in EntityKind}
_TYPES = {type_.value: type_ for type_ in RelationType}
_LAYERS = {layer.value: layer for layer in Layer}

_ROWS_AT_ONCE = 256
_turn = threading.Lock()
_FIND_ENTITY = "SELECT id FROM entity WHERE key = ?"
_KEYS = "SELECT e.id, e.key FROM json_each(?) j CROSS JOIN entity e ON e.id = j.value"
_ENTITIES = """
SELECT e.id, e.key, e.kind, e.base, e.first, e.last FROM json_each(?) j CROSS JOIN entity e ON e.id = j.value
"""
_ATTRIBUTES = """
SELECT a.entity, a.name, a.value, a.seen FROM json_each(?) j CROSS JOIN attribute a ON a.entity = j.value
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """Valid inside the transaction only."""

    connection: sqlite3.Connection
    terms: Terms

    def rows(self, statement: str, values: Mapping[str, object] | tuple[object, ...]) -> list[Row]:
        """All rows of a statement."""
        return self.connection.execute(statement, values).fetchall()

    def columns(self, statement: str, values: Mapping[str, object]) -> list[list[Any]]:
        """The rows of a statement by column.

        Turned part by part, because what has just been read still lies in the processor's cache: a quarter faster.
        Threads take turns: left to themselves they would hand the interpreter to each other at each row, which costs
        a third.
        """
        found = self.connection.execute(statement, values)
        columns: list[list[Any]] = [[] for _ in found.description]
        while part := _next_part(found):
            for column, items in zip(columns, zip(*part, strict=True), strict=True):
                column.extend(items)
        return columns

    def ids(self, keys: Iterable[str]) -> dict[str, int]:
        """Ids of those keys that are stored, in the order given.

        One statement for each key: SQLite's JSON ends a text at a NUL, so keys can't be handed over as an array.
        """
        execute = self.connection.execute
        found = ((key, execute(_FIND_ENTITY, (key,)).fetchone()) for key in dict.fromkeys(keys))
        return {key: row[0] for key, row in found if row is not None}

    def keys(self, ids: Iterable[int]) -> dict[int, str]:
        """Keys of stored entities."""
        return dict(self.rows(_KEYS, (json.dumps(list(set(ids))),)))

    def entities(self, ids: Collection[int]) -> dict[int, Entity]:
        """Entities with their attributes, in the order of ``ids``."""
        wanted = json.dumps(list(ids))
        attributes = dict(self._attributes(wanted))
        return {
            entity_id: Entity(key, _KINDS[kind], base, first, last, attributes.get(entity_id, ()))
            for entity_id, key, kind, base, first, last in self.rows(_ENTITIES, (wanted,))
        }

    def relation_key(self, ends: Row, keys: Mapping[int, str]) -> RelationKey:
        """Identity of a relation from its ids; ``keys`` holds the keys of both ends."""
        src, type_, dst, environment, layer = ends
        text = self.terms.text
        return RelationKey(keys[src], _TYPES[text(type_)], keys[dst], text(environment), _LAYERS[text(layer)])

    def environment_id(self, environment: str | None) -> int | None:
        """Id of an environment to compare with; None stands for all."""
        return None if environment is None else self.terms.id(environment)

    def lasting_types(self) -> str:
        """Ids of the relation types that count in every environment, as JSON."""
        return json.dumps(self.terms.ids(type_ for type_ in RelationType if type_.is_lasting))

    def _attributes(self, wanted: str) -> Iterator[tuple[int, tuple[Attribute, ...]]]:
        for entity_id, rows in groupby(self.rows(_ATTRIBUTES, (wanted,)), key=itemgetter(0)):
            yield entity_id, tuple(Attribute(*row[1:]) for row in rows)


def _next_part(found: sqlite3.Cursor) -> list[Row]:
    with _turn:
        return found.fetchmany(_ROWS_AT_ONCE)
