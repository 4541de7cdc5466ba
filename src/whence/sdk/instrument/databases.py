"""Tables that SQLAlchemy statements read and write. SQL given as text is not parsed, unless by the driver's own."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Engine, Table, event
from sqlalchemy.engine import URL
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase

from whence.sdk.guard import guarded
from whence.sdk.instrument import is_enabled
from whence.sdk.instrument.files import named
from whence.sdk.instrument.patches import Patches
from whence.sdk.instrument.sql import table_on_server
from whence.sdk.uses import reads, writes

_SCHEMES = {"postgresql": "postgres", "mariadb": "mysql"}
_PORTS = {"postgres": 5432, "mysql": 3306, "mssql": 1433, "oracle": 1521}
_DEFAULT_SCHEMAS = {"postgres": "public", "mssql": "dbo"}


def instrument(patches: Patches, _library: ModuleType) -> None:
    """Listen to every engine."""
    event.listen(Engine, "after_execute", _executed)
    patches.on_undo(lambda: event.remove(Engine, "after_execute", _executed))


@guarded
def _executed(connection: Any, statement: Any, *_details: Any) -> None:
    if not hasattr(statement, "get_children") or _is_told_by_the_driver(connection):
        return
    target = statement.table if isinstance(statement, UpdateBase) else None
    if isinstance(target, Table):
        _tell(writes, connection.engine.url, target)
    for element in visitors.iterate(statement):
        if isinstance(element, Table) and element is not target:
            _tell(reads, connection.engine.url, element)


def _is_told_by_the_driver(connection: Any) -> bool:
    """Drivers that have an instrumentor of their own see each statement too, those given as text among them."""
    driver: str = connection.dialect.driver
    return driver == "psycopg" and is_enabled(driver)


def _tell(verb: Any, url: URL, table: Table) -> None:
    reference = table_reference(url, table.schema, table.name)
    if reference:
        verb(reference)


def table_reference(url: URL, schema: str | None, table: str) -> str | None:
    """Reference of a table; None for a database in memory, which nobody else can see."""
    dialect = url.get_backend_name()
    scheme = _SCHEMES.get(dialect, dialect)
    if scheme == "sqlite":
        path = url.database
        return named("file", f"{Path(path).absolute().as_posix()}/{table}") if path and path != ":memory:" else None
    port = url.port or _PORTS.get(scheme)
    return table_on_server(scheme, url.host, port, url.database, schema or _DEFAULT_SCHEMAS.get(scheme), table)
