"""Changes, snapshot profiles and documents: few rows, so the model's own functions merge them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from whence.model.change import Change
from whence.model.delta import merge_change, merge_profile
from whence.model.kinds import ChangeKind
from whence.model.profile import ColumnProfile, SnapshotProfile
from whence.store.embedded.rowids import RowIds
from whence.store.protocol import ChangeQuery, Document, Page
from whence.store.rules import decode_cursor, encode_cursor, subject_names

_BEFORE_ALL = (2**63 - 1, "")
"""Position of a first page in a list that runs from the latest to the earliest."""

_FIND_CHANGE = "SELECT * FROM change WHERE id = ?"
_PUT_CHANGE = "INSERT OR REPLACE INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
LIST_CHANGES = """
SELECT * FROM change
WHERE effective >= :from AND effective < :to
  AND (effective < :number OR (effective = :number AND id > :text))
  AND (:environment IS NULL OR environment IN ('', :environment)) AND (:known IS NULL OR known <= :known)
ORDER BY effective DESC, id LIMIT :limit
"""
LIST_CHANGES_OF = """
SELECT c.* FROM json_each(:subjects) j CROSS JOIN change c ON c.subject = j.value
WHERE effective >= :from AND effective < :to
  AND (effective < :number OR (effective = :number AND c.id > :text))
  AND (:environment IS NULL OR environment IN ('', :environment)) AND (:known IS NULL OR known <= :known)
ORDER BY effective DESC, c.id LIMIT :limit
"""
_FIND_PROFILE = "SELECT * FROM profile WHERE version = ?"
_PUT_PROFILE = "INSERT OR REPLACE INTO profile VALUES (?, ?, ?, ?, ?, ?, ?)"
LIST_PROFILES = "SELECT * FROM profile WHERE dataset = ? AND at < ? ORDER BY at DESC, version LIMIT ?"
_FIND_DOCUMENT = "SELECT * FROM document WHERE kind = ? AND id = ?"
_PUT_DOCUMENT = "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)"
_DELETE_DOCUMENT = "DELETE FROM document WHERE kind = ? AND id = ?"
LIST_DOCUMENTS = """
SELECT * FROM document WHERE kind = :kind AND (created < :number OR (created = :number AND id > :text))
ORDER BY created DESC, id LIMIT :limit
"""


def merge_changes(connection: sqlite3.Connection, changes: Mapping[str, Change]) -> None:
    """Write changes over what is known of them."""
    for change_id in sorted(changes):
        present, reported = find_change(connection, change_id), changes[change_id]
        merged = reported if present is None else merge_change(present, reported)
        if merged != present:
            connection.execute(_PUT_CHANGE, astuple(merged))


def merge_profiles(connection: sqlite3.Connection, profiles: Mapping[str, SnapshotProfile]) -> None:
    """Write profiles over what is known of the same snapshots."""
    for version in sorted(profiles):
        row = connection.execute(_FIND_PROFILE, (version,)).fetchone()
        present, taken = None if row is None else _profile(row), profiles[version]
        merged = taken if present is None else merge_profile(present, taken)
        if merged != present:
            *scalars, columns = astuple(merged)
            connection.execute(_PUT_PROFILE, (*scalars, json.dumps(columns)))


def find_change(connection: sqlite3.Connection, change_id: str) -> Change | None:
    """One change."""
    row = connection.execute(_FIND_CHANGE, (change_id,)).fetchone()
    return None if row is None else _change(row)


def list_changes(connection: sqlite3.Connection, query: ChangeQuery) -> Page[Change]:
    """One page of the changes that a query admits."""
    number, text = _BEFORE_ALL if query.cursor is None else decode_cursor(query.cursor)
    values = {
        "from": query.from_ns,
        "to": query.to_ns,
        "environment": query.environment,
        "known": query.known_ns,
        "number": number,
        "text": text,
        "limit": query.limit + 1,
    }
    if query.subjects is None:
        rows = connection.execute(LIST_CHANGES, values).fetchall()
    else:
        subjects = json.dumps(sorted(subject_names(query.subjects)))
        rows = connection.execute(LIST_CHANGES_OF, {**values, "subjects": subjects}).fetchall()
    changes = tuple(_change(row) for row in rows[: query.limit])
    if len(rows) <= query.limit:
        return Page(changes)
    return Page(changes, encode_cursor(changes[-1].effective_ns, changes[-1].id))


def list_profiles(
    connection: sqlite3.Connection, datasets: Sequence[str], before_ns: int, limit: int
) -> list[SnapshotProfile]:
    """The latest profiles of each dataset."""
    return [
        _profile(row)
        for dataset in dict.fromkeys(datasets)
        for row in connection.execute(LIST_PROFILES, (dataset, before_ns, limit)).fetchall()
    ]


def save_document(ids: RowIds, document: Document) -> None:
    """Create or replace a document, durable on return."""
    with ids.transaction() as connection:
        connection.execute(_PUT_DOCUMENT, astuple(document))


def delete_document(ids: RowIds, kind: str, document_id: str) -> None:
    """Remove one document, if it is there."""
    with ids.transaction() as connection:
        connection.execute(_DELETE_DOCUMENT, (kind, document_id))


def find_document(connection: sqlite3.Connection, kind: str, document_id: str) -> Document | None:
    """One document."""
    row = connection.execute(_FIND_DOCUMENT, (kind, document_id)).fetchone()
    return None if row is None else Document(*row)


def list_documents(connection: sqlite3.Connection, kind: str, limit: int, cursor: str | None) -> Page[Document]:
    """One page of the documents of a kind."""
    number, text = _BEFORE_ALL if cursor is None else decode_cursor(cursor)
    values = {"kind": kind, "number": number, "text": text, "limit": limit + 1}
    documents = tuple(Document(*row) for row in connection.execute(LIST_DOCUMENTS, values).fetchall())
    if len(documents) <= limit:
        return Page(documents)
    return Page(documents[:limit], encode_cursor(documents[limit - 1].created_ns, documents[limit - 1].id))


def _change(row: tuple[Any, ...]) -> Change:
    values = list(row)
    values[1], values[-1] = ChangeKind(values[1]), bool(values[-1])
    return Change(*values)


def _profile(row: tuple[Any, ...]) -> SnapshotProfile:
    values = list(row)
    values[-1] = tuple(ColumnProfile(*column) for column in json.loads(values[-1]))
    return SnapshotProfile(*values)
