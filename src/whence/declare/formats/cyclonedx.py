"""CycloneDX ML-BOM: what a model was trained on, what an application uses, who owns data and how sensitive it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from whence.declare.statements import Edge, Statements, Thing
from whence.intake.fields import Json, as_list, as_map, as_text
from whence.model.kinds import EntityKind, RelationType

_KINDS = {
    "application": EntityKind.SERVICE,
    "container": EntityKind.SERVICE,
    "machine-learning-model": EntityKind.MODEL,
    "data": EntityKind.DATASET,
}
_TYPES = {
    (EntityKind.SERVICE, EntityKind.SERVICE): RelationType.CALLS,
    (EntityKind.SERVICE, EntityKind.MODEL): RelationType.USES_MODEL,
    (EntityKind.SERVICE, EntityKind.DATASET): RelationType.READS,
    (EntityKind.MODEL, EntityKind.DATASET): RelationType.TRAINED_ON,
    (EntityKind.MODEL, EntityKind.MODEL): RelationType.DERIVED_FROM,
}
"""Relation by the kinds of both ends; what is joined otherwise (libraries) is no dependency that production shows."""
_HARMLESS = frozenset({"", "public"})


class _Part(NamedTuple):
    """A component of a kind that the graph knows."""

    ref: str
    name: str
    kind: EntityKind
    fields: Json


def is_bom(value: Any) -> bool:
    """Whether decoded JSON is a CycloneDX document."""
    return as_map(value).get("bomFormat") == "CycloneDX"


def read(bom: Json, path: str, *, text: str) -> Statements:
    """Statements of one document; a line is where the component's reference first stands."""
    parts = {part.ref: part for part in _parts(bom)}
    edges = (
        Edge(one.name, _TYPES[one.kind, other.kind], other.name, path, _line(text, one))
        for one, other in [*_dependencies(bom, parts), *_training(parts)]
        if (one.kind, other.kind) in _TYPES
    )
    things = (_thing(part, path, _line(text, part)) for part in parts.values())
    return Statements(edges=tuple(dict.fromkeys(edges)), things=tuple(things))


def _parts(bom: Json) -> Iterator[_Part]:
    main = as_map(as_map(bom.get("metadata")).get("component"))
    for component in (main, *map(as_map, as_list(bom.get("components")))):
        name, kind = as_text(component.get("name")), _KINDS.get(as_text(component.get("type")) or "")
        if name and kind:
            yield _Part(as_text(component.get("bom-ref")) or name, name, kind, component)
            if kind is EntityKind.MODEL:
                yield from _inline_data(component)


def _inline_data(model: Json) -> Iterator[_Part]:
    for record in map(as_map, as_list(_parameters(model).get("datasets"))):
        name = as_text(record.get("name"))
        if name and "ref" not in record:
            yield _Part(as_text(record.get("bom-ref")) or name, name, EntityKind.DATASET, {"data": [record]})


def _dependencies(bom: Json, parts: dict[str, _Part]) -> Iterator[tuple[_Part, _Part]]:
    for record in map(as_map, as_list(bom.get("dependencies"))):
        for ref in as_list(record.get("dependsOn")):
            ends = parts.get(as_text(record.get("ref")) or ""), parts.get(as_text(ref) or "")
            if ends[0] is not None and ends[1] is not None:
                yield ends[0], ends[1]


def _training(parts: dict[str, _Part]) -> Iterator[tuple[_Part, _Part]]:
    for part in parts.values():
        for record in map(as_map, as_list(_parameters(part.fields).get("datasets"))):
            known = [as_text(record.get(field)) for field in ("ref", "bom-ref", "name")]
            data = next((parts[ref] for ref in known if ref in parts), None)
            if data is not None:
                yield part, data


def _thing(part: _Part, path: str, line: int) -> Thing:
    data = [as_map(record) for record in as_list(part.fields.get("data"))]
    owners = [
        as_text(as_map(as_map(owner).get(who)).get("name"))
        for record in data
        for owner in as_list(as_map(record.get("governance")).get("owners"))
        for who in ("organization", "contact")
    ]
    return Thing(
        name=part.name,
        kind=part.kind,
        file=path,
        line=line,
        owner=next(filter(None, owners), "") or "",
        labels=tuple(sorted({label for record in data for label in _labels(record)})),
        description=as_text(part.fields.get("description")) or "",
    )


def _labels(record: Json) -> Iterator[str]:
    class_ = as_text(record.get("classification")) or ""
    if class_ not in _HARMLESS:
        yield class_
    yield from filter(None, map(as_text, as_list(record.get("sensitiveData"))))


def _parameters(component: Json) -> Json:
    return as_map(as_map(component.get("modelCard")).get("modelParameters"))


def _line(text: str, part: _Part) -> int:
    return text.count("\n", 0, max(text.find(f'"{part.ref}"'), 0)) + 1
