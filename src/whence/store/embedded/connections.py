"""Connections to the file: one that writes, a few that read, each used by one thread at a time.

SQLite up to 3.51.2 has a rare race between a checkpoint in one connection and a commit in another, so within a process
only the writing connection checkpoints. Readers fetch everything and end their transaction: an open one would keep
the write-ahead log from shrinking.
"""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from whence.errors import ConfigError
from whence.store.embedded.rowids import RowIds
from whence.store.embedded.schema import prepare, require_sqlite
from whence.store.embedded.transactions import BUSY_SECONDS, store_errors, transaction

READERS = 4
_STEPS_BETWEEN_CHECKS = 20_000
_SECONDS_BETWEEN_TRIES = 0.01
_SHARED_PRAGMAS = ("temp_store = MEMORY", f"mmap_size = {1 << 30}")
_WRITER_PRAGMAS = (
    *_SHARED_PRAGMAS,
    "synchronous = FULL",
    f"cache_size = {-64 * 1024}",
    f"journal_size_limit = {64 << 20}",
)
_READER_PRAGMAS = (*_SHARED_PRAGMAS, "query_only = ON", "wal_autocheckpoint = 0", f"cache_size = {-16 * 1024}")


class Connections:
    """The threads and connections of one open store. Opening and closing block; do them off the event loop."""

    def __init__(self, path: Path, read_limit_seconds: float) -> None:
        """Open the file, and create what is missing.

        Raises:
            ConfigError: The file can't be used; the message says why.
        """
        require_sqlite()
        self._read_limit_seconds = read_limit_seconds
        self._writer = _open_writer(path)
        self.ids = RowIds(self._writer)
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(READERS):
            self._idle.put(_open_reader(path))
        self.writing = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self.reading = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a read transaction: everything read through it is of one moment.

        Raises:
            QueryTimeout: A statement ran on past the limit.
        """
        connection = self._idle.get()
        deadline = time.monotonic() + self._read_limit_seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_CHECKS)
        try:
            with store_errors(), transaction(connection, "BEGIN"):
                yield connection
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """Finish what runs, then close the writer last, so that it alone folds the log into the file."""
        self.writing.shutdown()
        self.reading.shutdown()
        for _ in range(READERS):
            self._idle.get().close()
        self._writer.close()


def _open_writer(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connect(path)
    except (sqlite3.Error, OSError) as error:
        raise ConfigError(f"can't use {path} as the database: {error}") from error
    try:
        with transaction(connection, "BEGIN IMMEDIATE"):
            prepare(connection, path)
        _log_ahead(connection)
        _apply(connection, _WRITER_PRAGMAS)
    except sqlite3.Error as error:
        connection.close()
        raise ConfigError(f"can't use {path} as the database: {error}") from error
    except ConfigError:
        connection.close()
        raise
    return connection


def _open_reader(path: Path) -> sqlite3.Connection:
    connection = _connect(path)
    _apply(connection, _READER_PRAGMAS)
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. That needs the file alone for a moment, for which SQLite itself doesn't wait."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return


def _apply(connection: sqlite3.Connection, pragmas: tuple[str, ...]) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
