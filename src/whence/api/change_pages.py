"""What changed in a window, page by page.

How this works: recorded changes come from the store as a page, from where the last page ended. Versions that appeared
in the same stretch are laid between them, unless a recorded change announced them; for that only the changes of those
versions' own entities are read. So a page costs the same wherever it lies and however wide the window is, but for the
versions, of which the store knows no order in time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from whence.api.timeline import changeable, sort_key
from whence.api.window import Window
from whence.model.change import Change
from whence.model.delta import Entity
from whence.rca.candidates import subjects_of
from whence.rca.inferred import KIND_OF_CHANGE, Sighting, inferred_change, match, sightings
from whence.rca.topology import names_of
from whence.store.protocol import MAX_PAGE, ChangeQuery, GraphReader
from whence.store.rules import decode_cursor

Position = tuple[int, str]


class ChangePage(NamedTuple):
    """One page of changes, latest first, ties by id."""

    changes: tuple[Change, ...]
    has_more: bool
    truncated: bool
    """Whether some versions were not looked at."""


class _Appeared(NamedTuple):
    """A version that appeared, and the change that it amounts to if nobody announced it."""

    change: Change
    sighting: Sighting


async def read_page(
    reader: GraphReader, window: Window, entity: Entity | None, *, limit: int, cursor: str | None
) -> ChangePage:
    """One page of the changes in a window, of one entity or of all.

    Raises:
        InvalidQuery: A cursor that no page gave out.
    """
    after = None if cursor is None else _position(cursor)
    subjects = None if entity is None else (entity.base,)
    recorded = await reader.changes(_changes_asked(window, subjects, limit, cursor))
    last = sort_key(recorded.items[-1]) if recorded.cursor is not None else None
    entities, narrow = ([entity], False) if entity is not None else await changeable(reader)
    appeared = await _appeared(reader, window, entities)
    between = [one for one in appeared if _is_between(sort_key(one.change), after, last)]
    unannounced = await _unannounced(reader, window, between, appeared, limit + 1)
    ordered = sorted((*recorded.items, *unannounced), key=sort_key)
    return ChangePage(tuple(ordered[:limit]), recorded.cursor is not None or len(ordered) > limit, narrow)


def _position(cursor: str) -> Position:
    """Where the page before ended."""
    effective_ns, change_id = decode_cursor(cursor)
    return -effective_ns, change_id


def _is_between(position: Position, after: Position | None, last: Position | None) -> bool:
    return (after is None or position > after) and (last is None or position < last)


def _changes_asked(
    window: Window, subjects: Collection[str] | None, limit: int, cursor: str | None = None
) -> ChangeQuery:
    named = None if subjects is None else tuple(sorted(subjects))
    return ChangeQuery(window.from_ns, window.to_ns, named, window.environment, window.known_ns, limit, cursor)


async def _recorded(reader: GraphReader, window: Window, subjects: Collection[str]) -> list[Change]:
    """Every recorded change of some entities."""
    query = _changes_asked(window, subjects, MAX_PAGE)
    found: list[Change] = []
    while True:
        page = await reader.changes(query)
        found += page.items
        if page.cursor is None:
            return found
        query = replace(query, cursor=page.cursor)


async def _appeared(reader: GraphReader, window: Window, entities: Sequence[Entity]) -> list[_Appeared]:
    """Versions that replaced others, in the order of a timeline; those before the window too, as matches of changes."""
    kinds = {entity.base: entity.kind for entity in entities if entity.kind in KIND_OF_CHANGE}
    relations = await reader.versions(tuple(sorted(kinds)), window.environment, window.known_ns) if kinds else ()
    found = ((inferred_change(one, kinds[one.base]), one) for one in sightings(relations, window.environment))
    appeared = [_Appeared(change, one) for change, one in found if change is not None]
    return sorted(appeared, key=lambda one: sort_key(one.change))


async def _unannounced(
    reader: GraphReader, window: Window, some: Sequence[_Appeared], all_: Sequence[_Appeared], most: int
) -> list[Change]:
    """The first changes of ``some`` that lie in the window and that no recorded one announced, ``most`` or a few more.

    Whether one was announced hangs on all versions of its entity, and of others of its name.
    """
    inside = [one for one in some if window.from_ns <= one.change.effective_ns < window.to_ns]
    by_name = names_of({one.sighting.base for one in all_})
    found: list[Change] = []
    for part in _parts(inside, most):
        bases = {base for one in part for base in by_name[_bare(one.sighting.base)]}
        seen = [one.sighting for one in all_ if one.sighting.base in bases]
        recorded = await _recorded(reader, window, bases)
        explained = set(match(recorded, subjects_of(recorded, sorted(bases)), seen, {}).values())
        found += [one.change for one in part if one.sighting not in explained]
        if len(found) >= most:
            break
    return found


def _parts(items: Sequence[_Appeared], size: int) -> Iterator[Sequence[_Appeared]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _bare(base: str) -> str:
    return base.partition("#")[2] or base
