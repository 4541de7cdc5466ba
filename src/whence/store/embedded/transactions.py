"""Transactions, and SQLite's errors as ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from whence.errors import QueryTimeout, StoreConflict, StoreError, StoreUnavailable

BUSY_SECONDS = 30.0
"""How long a writer waits for another process to finish its transaction."""

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    """All or nothing: commit at the end, roll back on any error."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def store_errors() -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise StoreError(f"a value that SQLite can't hold: {error}") from error


def translated(error: sqlite3.Error) -> StoreError:
    """The error of our tree that says the same."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_INTERRUPT:
        return QueryTimeout("the read took longer than its limit")
    if code in _BUSY:
        return StoreConflict(f"another process held the database for more than {BUSY_SECONDS:.0f} s")
    if isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable(f"SQLite: {error}")
    return StoreError(f"SQLite: {error}")
