"""One search over observed and declared things: by name, beginning, word, owner, description, and nearly so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from whence.declare.declared import Declared
from whence.declare.statements import Source, Thing
from whence.model.delta import Entity
from whence.model.kinds import EntityKind
from whence.store.protocol import MAX_PAGE, GraphReader, SearchQuery
from whence.store.rules import ascii_lower, bare_name, search_words

MATCHES = ("exact", "prefix", "word", "owner", "text", "similar")
"""How something was found, the best first."""
MOST_SIMILAR = 10
MOST_SAID = 20
"""Declared things that are looked up by name at most; each bare name takes a read."""


class Hit(NamedTuple):
    """One thing found."""

    key: str
    kind: EntityKind
    owner: str | None
    match: str
    description: str = ""
    lifecycle: str = ""
    last_seen_ns: int | None = None
    """None for what was declared and never seen."""


async def find_anything(reader: GraphReader, sources: Sequence[Source], text: str) -> list[Hit]:
    """What a text may mean, best first, then by key; what only looks like it comes where nothing else is found."""
    found = [*(await reader.search(SearchQuery(text, limit=MAX_PAGE))).items]
    found += (await reader.search(SearchQuery(owner=text, limit=MAX_PAGE))).items
    said = list(_said(sources, text))
    known = {one.key for one in found}
    declared = Declared(sources, known)
    elsewhere = [name for name in dict.fromkeys(one.name for one in said) if known.isdisjoint(declared.meant(name))]
    found += await _observed(reader, elsewhere[:MOST_SAID])
    if not found and not said:
        found = [*await reader.entities(await reader.nearest(text, MOST_SIMILAR))]
    return _ranked(found, said, sources, text)


async def _observed(reader: GraphReader, names: Sequence[str]) -> Sequence[Entity]:
    """What is known under references and bare names."""
    references = [name for name in names if "#" in name]
    found = [*await reader.entities(references)] if references else []
    for name in names:
        if "#" not in name:
            found += await reader.named(name)
    return found


def _ranked(found: Iterable[Entity], said: Sequence[Thing], sources: Sequence[Source], text: str) -> list[Hit]:
    entities = {one.key: one for one in found}
    declared = Declared(sources, entities)
    hits = {key: _hit(one, declared, text) for key, one in entities.items()}
    for thing in said:
        for key in set(declared.meant(thing.name)) - entities.keys():
            hits[key] = Hit(
                key, thing.kind, thing.owner or None, _match(key, [thing], text), thing.description, thing.lifecycle
            )
    return sorted(hits.values(), key=lambda hit: (MATCHES.index(hit.match), hit.last_seen_ns is None, hit.key))


def _hit(entity: Entity, declared: Declared, text: str) -> Hit:
    things = declared.described(entity.key)
    owner = entity.attribute("owner") or declared.owner(entity.key)
    match = "owner" if owner is not None and ascii_lower(owner) == ascii_lower(text) else None
    return Hit(
        key=entity.key,
        kind=entity.kind,
        owner=owner,
        match=min(filter(None, (match, _match(entity.key, things, text))), key=MATCHES.index),
        description=next((one.description for one in things if one.description), entity.attribute("description") or ""),
        lifecycle=next((one.lifecycle for one in things if one.lifecycle), ""),
        last_seen_ns=entity.last_seen_ns,
    )


def _match(key: str, things: Sequence[Thing], text: str) -> str:
    wanted, name = ascii_lower(text.strip()), ascii_lower(bare_name(key))
    if wanted in (name, ascii_lower(key)):
        return "exact"
    if name.startswith(wanted):
        return "prefix"
    if all(word in ascii_lower(key) for word in search_words(text)):
        return "word"
    if any(ascii_lower(one.owner) == wanted for one in things):
        return "owner"
    words = text.lower().split()
    is_said = any(all(word in text_of for word in words) for text_of in map(_text, things))
    return "text" if is_said else "similar"


def _said(sources: Iterable[Source], text: str) -> Iterator[Thing]:
    """Declared things that hold every word of a text somewhere."""
    words = text.lower().split()
    for source in sources:
        for thing, everything in _texts(source.statements.things):
            if all(word in everything for word in words):
                yield thing


@lru_cache(maxsize=256)
def _texts(things: tuple[Thing, ...]) -> tuple[tuple[Thing, str], ...]:
    """All that is said of each thing as one text, kept as long as the import is: every search looks through it."""
    return tuple((thing, _text(thing)) for thing in things)


def _text(thing: Thing) -> str:
    return " ".join((thing.name, thing.owner, thing.description, *thing.labels, *thing.purposes)).lower()
