"""Croissant: a dataset's description, what it was derived from, and what it may be used for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whence.declare.statements import Edge, Statements, Thing
from whence.intake.fields import Json, as_map, as_text
from whence.model.kinds import EntityKind, RelationType

_DERIVED = ("prov:wasDerivedFrom", "wasDerivedFrom", "isBasedOn")


def is_croissant(value: Any) -> bool:
    """Whether decoded JSON is a description of a dataset by this standard."""
    return any("mlcommons.org/croissant" in one for one in _names(as_map(value).get("conformsTo")))


def read(document: Json, path: str) -> Statements:
    """Statements of one description."""
    name = as_text(document.get("name"))
    if name is None:
        return Statements()
    sources = [source for field in _DERIVED for source in _names(document.get(field))]
    creators = list(_names(document.get("creator")))
    thing = Thing(
        name=name,
        kind=EntityKind.DATASET,
        file=path,
        line=1,
        owner=creators[0] if creators else "",
        labels=tuple(f"usage:{_last(usage)}" for usage in _names(document.get("usageInfo"))),
        description=as_text(document.get("description")) or "",
        url=as_text(document.get("url")) or "",
    )
    return Statements(
        edges=tuple(Edge(name, RelationType.DERIVED_FROM, _last(source), path, 1) for source in sources),
        things=(thing,),
    )


def _names(value: object) -> Iterator[str]:
    """Texts of a value, a list, or objects with a name or an identity."""
    for one in value if isinstance(value, list) else [value]:
        fields = as_map(one)
        text = as_text(one) or as_text(fields.get("name")) or as_text(fields.get("@id")) or as_text(fields.get("url"))
        if text:
            yield text


def _last(address: str) -> str:
    """Last part of an address: the name that people know."""
    return address.rstrip("/").rpartition("/")[2]
