"""Everything that changed in a window: what was recorded, and what new versions in spans show.

For what needs it all at once; a list goes by ``change_pages``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from whence.api.window import Window
from whence.model.change import Change
from whence.model.delta import Entity
from whence.rca.candidates import subjects_of
from whence.rca.inferred import KIND_OF_CHANGE, inferred_change, match, sightings
from whence.store.protocol import MAX_PAGE, ChangeQuery, GraphReader, SearchQuery

MAX_CHANGES = 2_000
MAX_ENTITIES = 2_000
"""Beyond these a window is too wide to be told whole; ``Timeline.truncated`` says so."""


class Timeline(NamedTuple):
    """Changes, latest first, ties by id; ``truncated`` where there are more than are told."""

    changes: tuple[Change, ...]
    truncated: bool


async def read_timeline(reader: GraphReader, window: Window) -> Timeline:
    """All changes in a window."""
    recorded, cut = await _recorded(reader, window)
    entities, narrow = await changeable(reader)
    inferred = await _inferred(reader, window, entities, recorded)
    inside = [change for change in recorded if window.from_ns <= change.effective_ns < window.to_ns]
    ordered = sorted((*inside, *inferred), key=sort_key)
    return Timeline(tuple(ordered), cut or narrow)


def sort_key(change: Change) -> tuple[int, str]:
    """Latest first, then by id."""
    return -change.effective_ns, change.id


async def _recorded(reader: GraphReader, window: Window) -> tuple[Sequence[Change], bool]:
    query = ChangeQuery(window.from_ns, window.to_ns, None, window.environment, window.known_ns, MAX_PAGE)
    found: list[Change] = []
    while True:
        page = await reader.changes(query)
        found += page.items
        if page.cursor is None or len(found) >= MAX_CHANGES:
            return found[:MAX_CHANGES], page.cursor is not None
        query = replace(query, cursor=page.cursor)


async def changeable(reader: GraphReader) -> tuple[Sequence[Entity], bool]:
    """Entities whose new versions are changes, and whether there are more of them."""
    query = SearchQuery(kinds=frozenset(KIND_OF_CHANGE), limit=MAX_PAGE)
    found: list[Entity] = []
    while True:
        page = await reader.search(query)
        found += page.items
        if page.cursor is None or len(found) >= MAX_ENTITIES:
            return found[:MAX_ENTITIES], page.cursor is not None
        query = replace(query, cursor=page.cursor)


async def _inferred(
    reader: GraphReader, window: Window, entities: Sequence[Entity], recorded: Sequence[Change]
) -> list[Change]:
    """New versions in the window that no recorded change announced."""
    kinds = {entity.base: entity.kind for entity in entities if entity.kind in KIND_OF_CHANGE}
    if not kinds:
        return []
    relations = await reader.versions(tuple(sorted(kinds)), window.environment, window.known_ns)
    seen = sightings(relations, window.environment)
    explained = set(match(recorded, subjects_of(recorded, sorted(kinds)), seen, {}).values())
    found = [
        inferred_change(one, kinds[one.base])
        for one in seen
        if one not in explained and window.from_ns <= one.first_seen_ns < window.to_ns
    ]
    return [change for change in found if change is not None]
