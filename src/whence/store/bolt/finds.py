"""Reads by name and by list: parameters of the statements, and pages of their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from neo4j import AsyncManagedTransaction

from whence.model.change import Change
from whence.model.delta import Entity
from whence.model.kinds import VERSION_KINDS
from whence.store.bolt import queries
from whence.store.bolt.connection import run, run_collected
from whence.store.bolt.queries import FOREVER
from whence.store.bolt.rows import to_change, to_document, to_entity
from whence.store.protocol import ChangeQuery, Document, Page, SearchQuery
from whence.store.rules import (
    MAX_LOOKALIKES,
    MAX_NAMESAKES,
    ascii_lower,
    decode_cursor,
    encode_cursor,
    nearest_keys,
    search_words,
    subject_names,
)

T = TypeVar("T")


async def list_changes(tx: AsyncManagedTransaction, query: ChangeQuery) -> Page[Change]:
    """One page of the changes that a query admits."""
    text = queries.CHANGES_OF_ALL if query.subjects is None else queries.CHANGES_OF_SUBJECTS
    parameters = {
        "from_ns": query.from_ns,
        "to_ns": query.to_ns,
        "subjects": sorted(subject_names(query.subjects or ())),
        "environment": query.environment,
        "known_ns": FOREVER if query.known_ns is None else query.known_ns,
        **_page(query.cursor, query.limit),
    }
    found = [to_change(row) for row in await run_collected(tx, text, parameters)]
    return _to_page(found, query.limit, lambda change: (change.effective_ns, change.id))


async def list_documents(tx: AsyncManagedTransaction, kind: str, limit: int, cursor: str | None) -> Page[Document]:
    """One page of the documents of a kind."""
    rows = await run(tx, queries.DOCUMENTS, {"kind": kind, **_page(cursor, limit)})
    return _to_page([to_document(row) for row in rows], limit, lambda document: (document.created_ns, document.id))


async def search(tx: AsyncManagedTransaction, query: SearchQuery) -> Page[Entity]:
    """One page of what a search finds."""
    words = sorted(search_words(query.text), key=len, reverse=True)
    parameters = {
        "word": words[0] if words else "",
        "words": words,
        "kinds": [kind.value for kind in query.kinds] or None,
        "versions": bool(query.kinds & set(VERSION_KINDS.values())),
        "owner": query.owner,
        "base": query.base,
        **_page(query.cursor, query.limit),
    }
    found = [to_entity(row) for row in await run(tx, _search_text(query, words), parameters)]
    if query.base is None:
        return _to_page(found, query.limit, lambda entity: (0, entity.key))
    return _to_page(found, query.limit, lambda entity: (entity.first_seen_ns, entity.key))


async def named(tx: AsyncManagedTransaction, name: str) -> tuple[Entity, ...]:
    """Entities of exactly one name."""
    parameters = {"name": name, "folded": ascii_lower(name), "suffix": f"#{name}", "limit": MAX_NAMESAKES}
    return tuple(to_entity(row) for row in await run(tx, queries.NAMED, parameters))


async def nearest(tx: AsyncManagedTransaction, name: str, limit: int) -> tuple[str, ...]:
    """Keys that look like a name; compares those whose length is nearest."""
    parameters = {"length": len(name.rpartition("#")[2]), "limit": MAX_LOOKALIKES}
    return nearest_keys(name, await run_collected(tx, queries.LOOKALIKES, parameters), limit)


def _search_text(query: SearchQuery, words: Sequence[str]) -> str:
    if query.base is not None:
        return queries.SEARCH_VERSIONS
    return queries.SEARCH_WORDS if words else queries.SEARCH_ALL


def _page(cursor: str | None, limit: int) -> dict[str, Any]:
    """Position after which a page begins, and one row more than it holds, to see whether another follows."""
    number, text = (FOREVER, "") if cursor is None else decode_cursor(cursor)
    return {"number": number, "text": text, "limit": limit + 1}


def _to_page(found: list[T], limit: int, position: Callable[[T], tuple[int, str]]) -> Page[T]:
    items = tuple(found[:limit])
    return Page(items, encode_cursor(*position(items[-1])) if len(found) > limit else None)
