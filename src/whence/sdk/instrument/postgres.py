"""Tables that statements read and write through psycopg."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from whence.sdk.instrument.patches import Patches
from whence.sdk.instrument.sql import Name, table_on_server, tables_in
from whence.sdk.uses import reads, writes

_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog"})


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at every cursor."""
    for kind in (library.Cursor, library.AsyncCursor, library.ServerCursor, library.AsyncServerCursor):
        for method in ("execute", "executemany", "copy"):
            patches.look_at(kind, method, _executed)


def _executed(_result: object, cursor: Any, query: Any, *_args: Any, **_kwargs: Any) -> None:
    tables = tables_in(_text(query, cursor))
    for verb, names in ((reads, tables.read), (writes, tables.written)):
        for name in names:
            if not _is_of_the_system(name):
                verb(_reference(cursor.connection.info, name))


def _text(query: Any, cursor: Any) -> str:
    if isinstance(query, str):
        return query
    return query.decode() if isinstance(query, bytes) else str(query.as_string(cursor.connection))


def _is_of_the_system(name: Name) -> bool:
    return name[0] in _SYSTEM_SCHEMAS or (name[0] is None and name[1].startswith("pg_"))


def _reference(info: Any, name: Name) -> str:
    host = None if info.host.startswith("/") else info.host  # a socket is of this machine
    return table_on_server("postgres", host, info.port, info.dbname, name[0] or "public", name[1])
