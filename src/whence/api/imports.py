"""Imports of declarations as documents of the store: each holds what one checkout states, and replaces the one before.

The statements alone are kept, not the texts of the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from whence.declare.formats import read_files
from whence.declare.statements import Source, Statements, together
from whence.store.protocol import MAX_PAGE, Document, GraphReader

KIND = "declaration"


class FileSummary(NamedTuple):
    """One file of an import that stated something, or could not be read."""

    path: str
    format: str
    edges: int
    things: int
    problem: str


class Import(NamedTuple):
    """One import as it is kept."""

    revision: str
    files: tuple[FileSummary, ...]
    statements: Statements
    url: str = ""
    """Where the operator has it fetched from; empty: somebody brought it."""
    etag: str = ""
    problem: str = ""
    """Why it could not be fetched or read again; then it is as it was before."""


class Kept(NamedTuple):
    """An import with its name and when it came."""

    name: str
    imported_ns: int
    content: Import


def stated(texts: Mapping[str, str]) -> tuple[tuple[FileSummary, ...], Statements]:
    """What files state together; files that state nothing are left out of the summaries."""
    readings = [one for one in read_files(texts) if one.format or one.problem]
    files = tuple(
        FileSummary(one.path, one.format, len(one.statements.edges), len(one.statements.things), one.problem)
        for one in readings
    )
    return files, together(one.statements for one in readings)


def to_document(kept: Kept) -> Document:
    """The document of an import."""
    return Document(KIND, kept.name, kept.imported_ns, msgspec.json.encode(kept.content).decode())


def from_document(document: Document) -> Kept:
    """The import of a document."""
    return Kept(document.id, document.created_ns, _decoded(document.body))


@lru_cache(maxsize=256)
def _decoded(body: str) -> Import:
    """Every question needs all imports; to decode them anew each time would take longer than most answers."""
    return msgspec.json.decode(body, type=Import)


async def read_imports(reader: GraphReader) -> list[Kept]:
    """Every import, by name."""
    found: list[Kept] = []
    cursor: str | None = None
    while True:
        page = await reader.documents(KIND, MAX_PAGE, cursor)
        found += map(from_document, page.items)
        cursor = page.cursor
        if cursor is None:
            return sorted(found, key=lambda one: one.name)


async def read_sources(reader: GraphReader) -> list[Source]:
    """What every import states, by name."""
    return [Source(one.name, one.content.revision, one.content.statements) for one in await read_imports(reader)]
