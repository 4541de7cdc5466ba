"""Which format a file has, by name and by content, and the statements in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from whence.declare.formats import (
    backstage,
    cards,
    codeowners,
    compose,
    croissant,
    cyclonedx,
    dbt,
    kubernetes,
    mlflow,
    mlmodel,
    odcs,
    openlineage,
    own,
)
from whence.declare.located import Located, read_yaml
from whence.declare.statements import Statements, together
from whence.errors import DecodeError

_YAML = frozenset({".yaml", ".yml"})
_FILES = frozenset({"manifest.json", "bom.json", "croissant.json", "CODEOWNERS", mlmodel.NAME, *cards.NAMES})
_ENDINGS = (".openlineage.json", ".cdx.json", ".croissant.json", ".mlflow.json")
_NAMED = re.compile(r"(.*\.)?(whence|catalog-info|odcs)\.ya?ml\Z")
_COMPOSE = re.compile(r"(docker-)?compose([.-][\w.-]+)?\.ya?ml\Z")
_SKIPPED_FOLDERS = frozenset({"node_modules", "site-packages", "vendor"})

Document = Callable[[Any, str], Statements]
"""Reads one document of a file, given the file's path."""


class Reading(NamedTuple):
    """What was found in one file. ``format`` is empty where it has none that we know."""

    path: str
    format: str
    statements: Statements
    problem: str = ""
    """Why a file of a known format could not be read."""


def may_state(path: str) -> bool:
    """Whether a file of this path (relative, with ``/``) is worth reading at all."""
    file = PurePosixPath(path)
    if any(part.startswith(".") and part != ".github" or part in _SKIPPED_FOLDERS for part in file.parts[:-1]):
        return False
    return file.suffix in _YAML or file.name in _FILES or file.name.endswith(_ENDINGS)


def is_named_so(path: str) -> bool:
    """Whether a file's name alone says that it states something, so that one that can't be read is a mistake."""
    name = PurePosixPath(path).name
    return bool(_NAMED.match(name) or _COMPOSE.match(name))


def read_files(texts: Mapping[str, str]) -> list[Reading]:
    """Read files by path. What names no owner is given the one of its file in CODEOWNERS, if there is one.

    A file that can't be read states nothing, and its ``problem`` says why; the others are not affected.
    """
    readings = [_read(path, text) for path, text in sorted(texts.items()) if not codeowners.is_codeowners(path)]
    rules = [rule for path, text in texts.items() if codeowners.is_codeowners(path) for rule in codeowners.rules(text)]
    return [one._replace(statements=_with_owners(one.statements, rules)) for one in readings]


def _read(path: str, text: str) -> Reading:
    name = ""
    statements: list[Statements] = []
    try:
        for name, read, document in _recognised(path, text):  # noqa: B007 - the last one's name goes into the problem
            statements.append(read(document, path))
    except DecodeError as error:
        return Reading(path, name, Statements(), str(error))
    return Reading(path, name, together(statements))


def _recognised(path: str, text: str) -> Iterator[tuple[str, Document, Any]]:
    """Documents of a file that we understand, each with the name of its format."""
    if path.endswith(".md"):
        card = cards.head(text)
        yield from [("card", cards.read, card)] if card is not None else []
        return
    if path.endswith(".json"):
        yield from _recognised_json(text)
        return
    for document in read_yaml(text):
        found = _format_of(path, document) if isinstance(document, Located) else None
        if found is not None:
            yield *found, document


def _recognised_json(text: str) -> Iterator[tuple[str, Document, Any]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from None
    if dbt.is_manifest(value):
        yield "dbt", partial(dbt.read, text=text), value
    elif cyclonedx.is_bom(value):
        yield "cyclonedx", partial(cyclonedx.read, text=text), value
    elif croissant.is_croissant(value):
        yield "croissant", croissant.read, value
    elif openlineage.is_declaration(value):
        yield "openlineage", partial(openlineage.read, text=text), value
    elif isinstance(value, dict) and mlflow.is_registry(value):
        yield "mlflow", mlflow.read, read_yaml(text)[0]


def _format_of(path: str, document: Located) -> tuple[str, Document] | None:
    version = str(document.get("apiVersion", ""))
    if "whence" in document:
        return "whence", own.read
    if version.startswith("backstage.io/"):
        return "backstage", backstage.read
    if mlmodel.is_mlmodel(path, document):
        return "mlmodel", mlmodel.read
    if mlflow.is_registry(document):
        return "mlflow", mlflow.read
    if kubernetes.is_rule(document):
        return "kubernetes", kubernetes.read
    if document.get("kind") == "DataContract":
        return "odcs", odcs.read
    if _COMPOSE.match(PurePosixPath(path).name) and "services" in document:
        return "compose", compose.read
    return None


def _with_owners(statements: Statements, rules: Iterable[codeowners.Rule]) -> Statements:
    rules = list(rules)
    things = (
        one if one.owner else one._replace(owner=codeowners.owner_of(one.file, rules)) for one in statements.things
    )
    return replace(statements, things=tuple(things))
