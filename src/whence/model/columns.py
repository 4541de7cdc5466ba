"""Columns in references and attributes: ``postgres://db:5432#shop.clicks@column:user_id`` is one column of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from whence.errors import InvalidReference
from whence.model.delta import Entity
from whence.model.refs import parse_ref

COLUMN_KIND = "column"
COLUMN_PREFIX = "column."
"""Attributes of a dataset that say where a column comes from begin so; their values are references, space between."""
ANY_ORIGIN = "*"
"""The column may come from anything."""


class Origin(NamedTuple):
    """What a column is made from. ``column`` None: from all of ``dataset``; ``dataset`` None: from anything."""

    dataset: str | None
    column: str | None


def column_origins(entity: Entity) -> Iterator[tuple[str, Origin]]:
    """Origins of the columns of a dataset, as far as lineage events told them."""
    for name, value, _ in entity.attributes:
        if name.startswith(COLUMN_PREFIX):
            column = name.removeprefix(COLUMN_PREFIX)
            yield from ((column, _origin(text)) for text in value.split())


def _origin(text: str) -> Origin:
    try:
        ref = parse_ref(text)
    except InvalidReference:
        return Origin(None, None)
    return Origin(str(ref.base), ref.version if ref.kind == COLUMN_KIND else None)
