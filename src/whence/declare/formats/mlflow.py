"""MLflow's registry, as ``registered-models/search`` of its REST API tells it: the models, and who answers for them.

A model goes by its bare name: the answer doesn't say under which address the registry is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whence.declare.located import Located, items
from whence.declare.statements import Statements, Thing
from whence.intake.fields import as_map, as_text
from whence.model.kinds import EntityKind

_OWNER = "owner"


def is_registry(document: Mapping[str, Any]) -> bool:
    """Whether a document is an answer of the registry."""
    return isinstance(document.get("registered_models"), list)


def read(document: Located, path: str) -> Statements:
    """Statements of one answer."""
    models = ((as_map(model), line) for model, line in items(document.get("registered_models")))
    return Statements(things=tuple(_thing(model, path, line) for model, line in models if as_text(model.get("name"))))


def _thing(model: Mapping[str, Any], path: str, line: int) -> Thing:
    tags = {as_text(tag.get("key")): as_text(tag.get("value")) or "" for tag, _ in _maps(model.get("tags"))}
    return Thing(
        name=str(model["name"]),
        kind=EntityKind.MODEL,
        file=path,
        line=line,
        owner=tags.pop(_OWNER, "") or as_text(model.get("user_id")) or "",
        labels=tuple(sorted(f"{key}={value}" if value else key for key, value in tags.items() if key)),
        description=as_text(model.get("description")) or "",
    )


def _maps(value: object) -> list[tuple[Mapping[str, Any], int]]:
    return [(as_map(item), line) for item, line in items(value)]
