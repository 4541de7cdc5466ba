"""``MLmodel``, the file beside a model that MLflow saved: what goes in and what comes out.

The model goes by the name of its folder, or of the one above where that is the customary ``model``.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from whence.declare.located import Located
from whence.declare.statements import Statements, Thing
from whence.intake.fields import as_list, as_map, as_text
from whence.model.kinds import EntityKind

NAME = "MLmodel"
_CUSTOMARY = frozenset({"artifacts", "model", ""})


def is_mlmodel(path: str, document: Located) -> bool:
    """Whether a document is such a file."""
    return PurePosixPath(path).name == NAME and "flavors" in document


def read(document: Located, path: str) -> Statements:
    """Statements of one file; none where no folder tells the model's name."""
    folders = [folder.name for folder in PurePosixPath(path).parents]
    name = next((folder for folder in folders if folder not in _CUSTOMARY), None)
    if name is None:
        return Statements()
    signature = as_map(document.get("signature"))
    sides = [_columns(as_text(signature.get(side)) or "") for side in ("inputs", "outputs")]
    line = document.line_of("signature")
    return Statements(
        things=(Thing(name, EntityKind.MODEL, path, line, signature=" -> ".join(sides) if any(sides) else ""),)
    )


def _columns(text: str) -> str:
    """``spend: double, visits: long`` of a schema in JSON; a tensor or column without a name goes by its type."""
    try:
        columns = [as_map(one) for one in as_list(json.loads(text))] if text else []
    except ValueError:
        return ""
    return ", ".join(
        ": ".join(filter(None, (as_text(one.get("name")), _type(one)))) for one in columns if one.get("type")
    )


def _type(column: object) -> str:
    fields = as_map(column)
    tensor = as_map(fields.get("tensor-spec"))
    return as_text(tensor.get("dtype")) or as_text(fields.get("type")) or ""
