"""Tables of the embedded store, and bringing a file to the version of the schema that this code speaks.

Decision: texts that repeat (types, layers, environments, operations) are kept once, in ``term``, and rows hold their
ids. Rows become a third as long, so more of the graph fits in memory; the price is a dictionary in each process.

Rows of counts are ordered by bucket first: an upsert touches the newest pages only. A read of a window seeks once for
each bucket and relation, which stays cheap because it knows both.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from whence.errors import ConfigError

VERSION = 4
MINIMUM_SQLITE = (3, 38, 0)
"""JSON functions are built in from 3.38 on."""

_EXAMPLE = "CREATE TABLE example(relation INTEGER PRIMARY KEY, at INTEGER NOT NULL, trace TEXT NOT NULL)"
_OWNER = "CREATE INDEX attribute_owner ON attribute(value) WHERE name = 'owner'"
_TABLES = f"""
{_EXAMPLE};
CREATE TABLE term(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE writer(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, known INTEGER NOT NULL,
  width INTEGER NOT NULL DEFAULT 0, folded INTEGER NOT NULL DEFAULT 0);

CREATE TABLE entity(
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, base TEXT NOT NULL, name TEXT NOT NULL,
  kind TEXT NOT NULL, strength INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE INDEX entity_plain ON entity(key) WHERE base = key;
CREATE INDEX entity_name ON entity(name) WHERE base = key;
CREATE INDEX entity_version ON entity(base, first DESC, key) WHERE base <> key;
CREATE TABLE attribute(
  entity INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, seen INTEGER NOT NULL,
  PRIMARY KEY(entity, name)) WITHOUT ROWID;
{_OWNER};

CREATE TABLE relation(
  id INTEGER PRIMARY KEY, src INTEGER NOT NULL, type INTEGER NOT NULL, dst INTEGER NOT NULL,
  environment INTEGER NOT NULL, layer INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, until INTEGER NOT NULL, known INTEGER NOT NULL,
  UNIQUE(src, type, dst, environment, layer));
CREATE INDEX relation_dst ON relation(dst);

CREATE TABLE edge_bucket(
  start INTEGER NOT NULL, relation INTEGER NOT NULL, writer INTEGER NOT NULL,
  spans INTEGER NOT NULL, calls REAL NOT NULL, errors REAL NOT NULL, origin_errors REAL NOT NULL,
  latency BLOB NOT NULL, gap BLOB NOT NULL,
  PRIMARY KEY(start, relation, writer)) WITHOUT ROWID;
CREATE TABLE operation_bucket(
  start INTEGER NOT NULL, node INTEGER NOT NULL, operation INTEGER NOT NULL, environment INTEGER NOT NULL,
  writer INTEGER NOT NULL,
  spans INTEGER NOT NULL, calls REAL NOT NULL, errors REAL NOT NULL, origin_errors REAL NOT NULL,
  error_logs REAL NOT NULL, poor REAL NOT NULL, self_time BLOB NOT NULL,
  PRIMARY KEY(start, node, operation, environment, writer)) WITHOUT ROWID;
CREATE TABLE exposure_bucket(
  start INTEGER NOT NULL, service INTEGER NOT NULL, operation INTEGER NOT NULL, environment INTEGER NOT NULL,
  node INTEGER NOT NULL, writer INTEGER NOT NULL,
  spans INTEGER NOT NULL, requests REAL NOT NULL, requests_sq REAL NOT NULL, errors REAL NOT NULL,
  poor REAL NOT NULL, latency BLOB NOT NULL,
  PRIMARY KEY(start, service, operation, environment, node, writer)) WITHOUT ROWID;

CREATE TABLE change(
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL,
  effective INTEGER NOT NULL, known INTEGER NOT NULL, reported INTEGER NOT NULL,
  from_version TEXT, to_version TEXT, environment TEXT NOT NULL, finished INTEGER,
  actor TEXT, url TEXT, summary TEXT, source TEXT NOT NULL, recorded INTEGER NOT NULL);
CREATE INDEX change_effective ON change(effective DESC, id);
CREATE INDEX change_subject ON change(subject, effective);
CREATE TABLE profile(
  version TEXT PRIMARY KEY, dataset TEXT NOT NULL, at INTEGER NOT NULL,
  row_count INTEGER, byte_count INTEGER, schema_hash TEXT, columns TEXT NOT NULL);
CREATE INDEX profile_dataset ON profile(dataset, at DESC, version);
CREATE TABLE document(
  kind TEXT NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(kind, id));
CREATE INDEX document_created ON document(kind, created DESC, id);
"""

_TO_VERSION_2 = """
ALTER TABLE writer ADD COLUMN width INTEGER NOT NULL DEFAULT 0;
ALTER TABLE writer ADD COLUMN folded INTEGER NOT NULL DEFAULT 0
"""
"""What compaction needs: ``width`` of the buckets that a writer of wide rows has, and until when rows were folded."""
_STEPS = (_TO_VERSION_2, _EXAMPLE, _OWNER)
"""From version 1 on, each to the next."""


def require_sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse a SQLite that lacks what the statements need.

    Raises:
        ConfigError: It is older than ``MINIMUM_SQLITE``.
    """
    if version < MINIMUM_SQLITE:
        found, needed = (".".join(map(str, one)) for one in (version, MINIMUM_SQLITE))
        raise ConfigError(f"this Python brings SQLite {found}; the embedded store needs {needed} or later")


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Create the tables in a new file, bring older ones up to our version. Call it inside a write transaction.

    Raises:
        ConfigError: The file is of a later version, or belongs to something else.
    """
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == VERSION:
        return
    if found > VERSION:
        raise ConfigError(f"{path} was written by a later version of whence (schema {found}, here {VERSION})")
    if not found and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise ConfigError(f"{path} is a database of something else; name another file")
    for step in _STEPS[found - 1 :] if found else (_TABLES,):
        for statement in step.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
