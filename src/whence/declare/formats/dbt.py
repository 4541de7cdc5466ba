"""dbt ``manifest.json``: exposures read models and sources; models derive from what they select from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whence.declare.statements import Edge, Statements, Thing
from whence.intake.fields import Json, as_list, as_map, as_text
from whence.model.kinds import EntityKind, RelationType

_TABLES = frozenset({"model", "seed", "snapshot", "source"})


def is_manifest(value: Any) -> bool:
    """Whether decoded JSON is a manifest of dbt."""
    return "dbt_schema_version" in as_map(as_map(value).get("metadata"))


def read(manifest: Json, path: str, *, text: str) -> Statements:
    """Statements of one manifest; a line is where the node's id first stands as a key."""
    lines = _Lines(text)
    nodes = {**as_map(manifest.get("nodes")), **as_map(manifest.get("sources"))}
    tables = {key: table for key, node in nodes.items() if (table := _table(as_map(node)))}
    edges = [*_derivations(manifest, tables, lines, path), *_exposures(manifest, tables, lines, path)]
    things = [_dataset(as_map(nodes[key]), table, path, lines.of(key)) for key, table in tables.items()]
    return Statements(tuple(edges), (*things, *_consumers(manifest, lines, path)))


def _derivations(manifest: Json, tables: dict[str, str], lines: _Lines, path: str) -> Iterator[Edge]:
    for child, parents in as_map(manifest.get("parent_map")).items():
        for parent in as_list(parents):
            if child in tables and parent in tables:
                yield Edge(tables[child], RelationType.DERIVED_FROM, tables[parent], path, lines.of(child))


def _exposures(manifest: Json, tables: dict[str, str], lines: _Lines, path: str) -> Iterator[Edge]:
    for key, exposure in as_map(manifest.get("exposures")).items():
        name = as_text(as_map(exposure).get("name"))
        for parent in as_list(as_map(as_map(exposure).get("depends_on")).get("nodes")):
            if name and parent in tables:
                yield Edge(name, RelationType.READS, tables[parent], path, lines.of(key))


def _consumers(manifest: Json, lines: _Lines, path: str) -> Iterator[Thing]:
    for key, record in as_map(manifest.get("exposures")).items():
        exposure = as_map(record)
        owner = as_map(exposure.get("owner"))
        yield Thing(
            name=as_text(exposure.get("name")) or key,
            kind=EntityKind.MODEL if exposure.get("type") == "ml" else EntityKind.SERVICE,
            file=path,
            line=lines.of(key),
            owner=as_text(owner.get("name")) or as_text(owner.get("email")) or "",
            contact=as_text(owner.get("email")) or "",
            url=as_text(exposure.get("url")) or "",
            description=as_text(exposure.get("description")) or "",
        )


def _dataset(node: Json, table: str, path: str, line: int) -> Thing:
    meta = {**as_map(node.get("meta")), **as_map(as_map(node.get("config")).get("meta"))}
    return Thing(
        name=table,
        kind=EntityKind.DATASET,
        file=path,
        line=line,
        owner=as_text(meta.get("owner")) or "",
        labels=tuple(str(tag) for tag in as_list(node.get("tags"))),
        description=as_text(node.get("description")) or "",
    )


def _table(node: Json) -> str | None:
    """``database.schema.table`` of a node that lies in a table."""
    if node.get("resource_type") not in _TABLES:
        return None
    table = as_text(node.get("identifier")) or as_text(node.get("alias")) or as_text(node.get("name"))
    parts = (as_text(node.get("database")), as_text(node.get("schema")), table)
    return ".".join(part for part in parts if part) or None


class _Lines:
    """Where keys stand in a JSON text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def of(self, key: str) -> int:
        """Line of a key's first mention, 1 where it is not found."""
        at = self._text.find(f'"{key}"')
        return self._text.count("\n", 0, max(at, 0)) + 1
