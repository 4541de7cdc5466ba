"""Upsert: a delta merged into the tables, by the laws of ``model.delta``, in one transaction.

How this works: entities go first, so that relations and counts find their ids. A statement states its merge law twice,
once as what to set and once as when to set it, so that a replay writes no page. Rows are sorted as their table is,
which keeps neighbours on one page together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping

from whence.model.delta import Entity, Example, GraphDelta, Relation, RelationKey
from whence.store.embedded import counts, records
from whence.store.embedded.rowids import RowIds, entity_row

_UPSERT_ENTITY = """
INSERT INTO entity(key, base, name, kind, strength, first, last) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(key) DO UPDATE SET
  base = min(base, excluded.base), first = min(first, excluded.first), last = max(last, excluded.last),
  kind = iif((excluded.strength, excluded.kind) > (strength, kind), excluded.kind, kind),
  strength = max(strength, excluded.strength)
WHERE excluded.base < base OR excluded.first < first OR excluded.last > last
   OR (excluded.strength, excluded.kind) > (strength, kind)
"""
_UPSERT_ATTRIBUTE = """
INSERT INTO attribute(entity, name, value, seen) VALUES (?, ?, ?, ?)
ON CONFLICT(entity, name) DO UPDATE SET value = excluded.value, seen = excluded.seen
WHERE (excluded.seen, excluded.value) > (seen, value)
"""
_UPSERT_RELATION = """
INSERT INTO relation(src, type, dst, environment, layer, first, last, until, known) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(src, type, dst, environment, layer) DO UPDATE SET
  first = min(first, excluded.first), last = max(last, excluded.last),
  until = max(until, excluded.until), known = min(known, excluded.known)
WHERE excluded.first < first OR excluded.last > last OR excluded.until > until OR excluded.known < known
"""
_UPSERT_EXAMPLE = """
INSERT INTO example(relation, at, trace) VALUES (?, ?, ?)
ON CONFLICT(relation) DO UPDATE SET at = excluded.at, trace = excluded.trace
WHERE (excluded.at, excluded.trace) > (at, trace)
"""


def upsert(ids: RowIds, delta: GraphDelta) -> None:
    """Merge a delta: all of it, durable on return, or on any error nothing."""
    with ids.transaction() as connection:
        _upsert_entities(connection, ids, delta.entities.values())
        _upsert_relations(connection, ids, delta.relations.values())
        counts.upsert_edges(connection, ids, delta.edges)
        _upsert_examples(connection, ids, delta.examples)
        counts.upsert_operations(connection, ids, delta.operations)
        counts.upsert_exposures(connection, ids, delta.exposures)
        records.merge_changes(connection, delta.changes)
        records.merge_profiles(connection, delta.profiles)


def _upsert_entities(connection: sqlite3.Connection, ids: RowIds, entities: Collection[Entity]) -> None:
    connection.executemany(_UPSERT_ENTITY, sorted(entity_row(one) for one in entities))
    attributes = ((ids.entity(one.key, one.first_seen_ns), *item) for one in entities for item in one.attributes)
    connection.executemany(_UPSERT_ATTRIBUTE, sorted(attributes))


def _upsert_relations(connection: sqlite3.Connection, ids: RowIds, relations: Collection[Relation]) -> None:
    rows = (
        (
            *ids.ends(one.key, one.first_seen_ns),
            one.first_seen_ns,
            one.last_seen_ns,
            one.active_until_ns,
            one.known_ns,
        )
        for one in relations
    )
    connection.executemany(_UPSERT_RELATION, sorted(rows))


def _upsert_examples(connection: sqlite3.Connection, ids: RowIds, examples: Mapping[RelationKey, Example]) -> None:
    rows = ((ids.relation(key, one.at_ns), *one) for key, one in examples.items())
    connection.executemany(_UPSERT_EXAMPLE, sorted(rows))
