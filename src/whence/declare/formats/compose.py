"""Compose files: ``depends_on``, ``links``, and hosts in environment values that are other services of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from whence.declare.located import Located, items
from whence.declare.statements import Edge, Statements, Thing
from whence.model.kinds import EntityKind, RelationType

_HOST = re.compile(r"(?:\A|://|,)(?:[^/@\s,]*@)?([A-Za-z0-9._-]+)(?!://)(?=[:/,]|\Z)")


def read(document: Located, path: str) -> Statements:
    """Statements of one file."""
    services = document.get("services")
    if not isinstance(services, Located):
        return Statements()
    described = {name: one for name, one in services.items() if isinstance(one, Located)}
    edges = {
        (name, target): line
        for name, service in described.items()
        for target, line in _targets(service, frozenset(services))
        if target != name
    }
    return Statements(
        edges=tuple(Edge(src, RelationType.CALLS, dst, path, line) for (src, dst), line in edges.items()),
        things=tuple(Thing(name, EntityKind.SERVICE, path, services.line_of(name)) for name in described),
    )


def _targets(service: Located, names: frozenset[str]) -> Iterator[tuple[str, int]]:
    for value, line in _values(service.get("environment")):
        for host in _HOST.findall(value):
            if host in names:
                yield host, line
    for link, line in items(service.get("links")):
        yield str(link).partition(":")[0], line
    depends = service.get("depends_on")
    yield from depends.lines.items() if isinstance(depends, Located) else ((str(one), at) for one, at in items(depends))


def _values(environment: object) -> Iterator[tuple[str, int]]:
    """Values of an environment, given as a mapping or as a list of ``NAME=value``."""
    if isinstance(environment, Located):
        yield from ((str(value), environment.line_of(name)) for name, value in environment.items())
    else:
        yield from ((str(item).partition("=")[2], line) for item, line in items(environment))
