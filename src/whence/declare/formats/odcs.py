"""Open Data Contract Standard: a table, who answers for it, and what its data may be used for."""

from __future__ import annotations

from collections.abc import Iterator

from whence.declare.located import Located, items
from whence.declare.names import as_said
from whence.declare.statements import Statements, Thing
from whence.intake.fields import Json, as_map, as_text
from whence.model.kinds import EntityKind
from whence.model.refs import make_ref

_SCHEMES = {"postgresql": "postgres", "sqlserver": "mssql"}
_HARMLESS = frozenset({"", "public", "internal"})


def read(document: Located, path: str) -> Statements:
    """Statements of one contract: one dataset for each table and server."""
    servers = [as_map(server) for server, _ in items(document.get("servers"))] or [{}]
    things = []
    for table, line in items(document.get("schema")):
        name = as_text(as_map(table).get("physicalName")) or as_text(as_map(table).get("name"))
        if name is not None:
            labels = tuple(sorted({*_labels(as_map(document)), *_labels(as_map(table))}))
            things += [_thing(document, _key(server, name), labels, path, line) for server in servers]
    return Statements(things=tuple(things))


def _thing(document: Located, name: str, labels: tuple[str, ...], path: str, line: int) -> Thing:
    description = as_map(document.get("description"))
    return Thing(
        name=name,
        kind=EntityKind.DATASET,
        file=path,
        line=line,
        owner=_owner(document),
        labels=labels,
        lifecycle=as_text(document.get("status")) or "",
        description=as_text(description.get("purpose")) or as_text(description.get("usage")) or "",
    )


def _key(server: Json, table: str) -> str:
    """Reference of a table on a server; the bare name where the server has no address."""
    kind, host = as_text(server.get("type")), as_text(server.get("host"))
    if not kind or not host:
        return table
    port = as_text(server.get("port"))
    namespace = f"{_SCHEMES.get(kind, kind)}://{host}{f':{port}' if port else ''}"
    levels = (as_text(server.get("database")), as_text(server.get("schema")), table)
    return as_said(str(make_ref(namespace, ".".join(level for level in levels if level))))


def _labels(fields: Json) -> Iterator[str]:
    """Tags of a contract or table, and the classes and tags of its columns."""
    yield from (str(tag) for tag, _ in items(fields.get("tags")))
    for column, _ in items(fields.get("properties")):
        class_ = as_text(as_map(column).get("classification")) or ""
        if class_ not in _HARMLESS:
            yield class_
        yield from (str(tag) for tag, _ in items(as_map(column).get("tags")))


def _owner(document: Located) -> str:
    team = document.get("team")
    if isinstance(team, Located):
        return as_text(team.get("name")) or ""
    members = [as_map(member) for member, _ in items(team)]
    owners = [one for one in members if (as_text(one.get("role")) or "").lower() == "owner"] or members
    return (as_text(owners[0].get("username")) or as_text(owners[0].get("name")) or "") if owners else ""
