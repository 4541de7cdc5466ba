"""Entities by key, by name, by likeness and by words."""

# Statements are put together from constants of this file alone; values are parameters.
# ruff: noqa: S608

from __future__ import annotations

import json

from whence.model.delta import Entity
from whence.model.kinds import VERSION_KINDS
from whence.store.embedded.reading import Reading
from whence.store.protocol import Page, SearchQuery
from whence.store.rules import MAX_LOOKALIKES, MAX_NAMESAKES, decode_cursor, encode_cursor, nearest_keys, search_words

NAMESAKES = "SELECT id, key FROM entity WHERE base = key AND name = ? ORDER BY key"
_LOOKALIKES = "SELECT key FROM entity WHERE base = key ORDER BY abs(length(name) - length(?)), key LIMIT ?"

# The longest word is tested by itself and first, because taking a list of words apart for each row costs more than
# the row; few rows are left for the rest.
_WORDS = """
  AND instr(lower(e.key), :longest) > 0
  AND NOT EXISTS (SELECT 1 FROM json_each(:others) word WHERE instr(lower(e.key), word.value) = 0)
  AND (:kinds IS NULL OR e.kind IN (SELECT value FROM json_each(:kinds)))
"""
_MATCHES = f"""{_WORDS}
  AND (:owner IS NULL OR EXISTS
    (SELECT 1 FROM attribute a WHERE a.entity = e.id AND a.name = 'owner' AND a.value = :owner))
"""
ENTITIES = f"""
SELECT e.id, 0, e.key FROM entity e WHERE e.base = e.key AND e.key > :text {_MATCHES} ORDER BY e.key LIMIT :limit
"""
ENTITIES_AND_VERSIONS = f"""
SELECT e.id, 0, e.key FROM entity e WHERE e.key > :text {_MATCHES} ORDER BY e.key LIMIT :limit
"""
# What somebody owns is a small part of everything: found by owner and then sorted.
_OWNED = """
SELECT e.id, 0, e.key FROM attribute a CROSS JOIN entity e ON e.id = a.entity
WHERE a.name = 'owner' AND a.value = :owner AND e.key > :text
"""
OWNED = f"{_OWNED} AND e.base = e.key {_WORDS} ORDER BY e.key LIMIT :limit"
OWNED_WITH_VERSIONS = f"{_OWNED} {_WORDS} ORDER BY e.key LIMIT :limit"
VERSIONS_OF = f"""
SELECT e.id, e.first, e.key FROM entity e
WHERE e.base <> e.key AND e.base = :base AND (e.first < :number OR (e.first = :number AND e.key > :text)) {_MATCHES}
ORDER BY e.first DESC, e.key LIMIT :limit
"""


def find_entity(reading: Reading, key: str) -> Entity | None:
    """The entity or version of one key."""
    found = reading.entities(list(reading.ids([key]).values()))
    return next(iter(found.values()), None)


def named(reading: Reading, name: str) -> tuple[Entity, ...]:
    """Entities of exactly one name."""
    rows = reading.rows(NAMESAKES, (name.rpartition("#")[2],))
    namesakes = [row[0] for row in rows if row[1] == name or row[1].endswith(f"#{name}")]
    return _in_order(reading, namesakes[:MAX_NAMESAKES])


def nearest(reading: Reading, name: str, limit: int) -> tuple[str, ...]:
    """Keys that look like a name; compares those whose length is nearest, up to ``MAX_LOOKALIKES``."""
    rows = reading.rows(_LOOKALIKES, (name.rpartition("#")[2], MAX_LOOKALIKES))
    return nearest_keys(name, (row[0] for row in rows), limit)


def search(reading: Reading, query: SearchQuery) -> Page[Entity]:
    """One page of what a search finds."""
    rows = reading.rows(_statement(query), _values(query))
    entities = _in_order(reading, [row[0] for row in rows[: query.limit]])
    return Page(entities, encode_cursor(*rows[query.limit - 1][1:]) if len(rows) > query.limit else None)


def _statement(query: SearchQuery) -> str:
    if query.base is not None:
        return VERSIONS_OF
    with_versions = bool(query.kinds & set(VERSION_KINDS.values()))
    if query.owner is not None:
        return OWNED_WITH_VERSIONS if with_versions else OWNED
    return ENTITIES_AND_VERSIONS if with_versions else ENTITIES


def _values(query: SearchQuery) -> dict[str, object]:
    number, text = (2**63 - 1, "") if query.cursor is None else decode_cursor(query.cursor)
    longest, *others = sorted(search_words(query.text), key=len, reverse=True) or [""]
    return {
        "longest": longest,
        "others": json.dumps(others),
        "kinds": json.dumps(sorted(query.kinds)) if query.kinds else None,
        "owner": query.owner,
        "base": query.base,
        "number": number,
        "text": text,
        "limit": query.limit + 1,
    }


def _in_order(reading: Reading, ids: list[int]) -> tuple[Entity, ...]:
    return tuple(reading.entities(ids).values())
