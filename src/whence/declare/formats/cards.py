"""Model cards and dataset cards: a README whose YAML head says what a model was made from, as on Hugging Face.

A card names itself nowhere for sure: it goes by ``whence_ref`` in its head, else by the name in ``model-index`` or
``pretty_name``, else by its folder.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from whence.declare.located import Located, items, read_yaml
from whence.declare.names import as_said
from whence.declare.statements import Edge, Statements, Thing
from whence.intake.fields import as_map, as_text
from whence.model.kinds import EntityKind, RelationType

NAMES = frozenset({"README.md", "MODEL_CARD.md", "DATASET_CARD.md"})
_HEAD = re.compile(r"\A---\r?\n(.*?)^---\s*$", re.DOTALL | re.MULTILINE)
_OF_MODELS = frozenset({"base_model", "datasets", "library_name", "model-index", "pipeline_tag"})
_OF_DATASETS = frozenset({"dataset_info", "size_categories", "source_datasets", "task_categories"})
_MADE_FROM = {
    "datasets": RelationType.TRAINED_ON,
    "base_model": RelationType.DERIVED_FROM,
    "source_datasets": RelationType.DERIVED_FROM,
}
_OWN_WORDS = frozenset({"original", "extended"})
"""What ``source_datasets`` says in place of a name."""


def head(text: str) -> Located | None:
    """The YAML head of a card; None of a README that is none."""
    found = _HEAD.match(text)
    documents = read_yaml("\n" + found[1]) if found else []  # the line of the fence, so that lines are the file's
    document = documents[0] if documents else None
    is_card = isinstance(document, Located) and not document.keys().isdisjoint(_OF_MODELS | _OF_DATASETS)
    return document if is_card else None


def read(document: Located, path: str) -> Statements:
    """Statements of one card."""
    name, kind = _name(document, path), _kind(document)
    edges = [
        Edge(name, type_, as_said(source), path, line)
        for field, type_ in _MADE_FROM.items()
        for source, line in _texts(document, field)
        if source not in _OWN_WORDS
    ]
    thing = Thing(
        name=name,
        kind=kind,
        file=path,
        line=1,
        labels=tuple(sorted({text for text, _ in (*_texts(document, "tags"), *_licences(document))})),
    )
    return Statements(edges=tuple(edges) if name else (), things=(thing,) if name else ())


def _kind(document: Located) -> EntityKind:
    return EntityKind.DATASET if document.keys().isdisjoint(_OF_MODELS) else EntityKind.MODEL


def _name(document: Located, path: str) -> str:
    indexed = next((as_text(as_map(one).get("name")) for one, _ in items(document.get("model-index"))), None)
    stated = as_text(document.get("whence_ref")) or indexed or as_text(document.get("pretty_name"))
    return as_said(stated) if stated else PurePosixPath(path).parent.name


def _licences(document: Located) -> list[tuple[str, int]]:
    return [(f"license:{text}", line) for text, line in _texts(document, "license")]


def _texts(document: Located, field: str) -> list[tuple[str, int]]:
    """One text or a list of them, each with its line."""
    value = document.get(field)
    listed = list(items(value)) or [(value, document.line_of(field))]
    return [(text, line) for text, line in ((as_text(one), line) for one, line in listed) if text]
