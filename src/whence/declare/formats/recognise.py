"""Which format a file has, by name and by content, and the statements in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from whence.declare.formats import backstage, codeowners, compose, dbt, kubernetes, odcs, openlineage, own
from whence.declare.located import Located, read_yaml
from whence.declare.statements import Statements, together
from whence.errors import DecodeError

_YAML = frozenset({".yaml", ".yml"})
_COMPOSE = re.compile(r"(docker-)?compose([.-][\w.-]+)?\.ya?ml\Z")
_SKIPPED_FOLDERS = frozenset({"node_modules", "site-packages", "vendor"})

Document = Callable[[Located, str], Statements]


class Reading(NamedTuple):
    """What was found in one file. ``format`` is empty where it states nothing that we understand."""

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
    return file.suffix in _YAML or file.name in ("manifest.json", "CODEOWNERS") or path.endswith(".openlineage.json")


def read_files(texts: Mapping[str, str]) -> list[Reading]:
    """Read files by path. What names no owner is given the one of its file in CODEOWNERS, if there is one.

    A file that can't be read states nothing, and its ``problem`` says why; the others are not affected.
    """
    readings = [_read(path, text) for path, text in sorted(texts.items()) if not codeowners.is_codeowners(path)]
    rules = [rule for path, text in texts.items() if codeowners.is_codeowners(path) for rule in codeowners.rules(text)]
    return [one._replace(statements=_with_owners(one.statements, rules)) for one in readings]


def _read(path: str, text: str) -> Reading:
    try:
        return _read_json(path, text) if path.endswith(".json") else _read_documents(path, text)
    except DecodeError as error:
        return Reading(path, "", Statements(), str(error))


def _read_json(path: str, text: str) -> Reading:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from None
    if dbt.is_manifest(value):
        return Reading(path, "dbt", dbt.read(value, text, path))
    if openlineage.is_declaration(value):
        return Reading(path, "openlineage", openlineage.read(value, text, path))
    return Reading(path, "", Statements())


def _read_documents(path: str, text: str) -> Reading:
    found = [_recognised(path, document) for document in read_yaml(text) if isinstance(document, Located)]
    named = [(name, read(document, path)) for name, read, document in found if name]
    return Reading(path, named[0][0] if named else "", together(part for _, part in named))


def _recognised(path: str, document: Located) -> tuple[str, Document, Located]:
    version = str(document.get("apiVersion", ""))
    if "whence" in document:
        return "whence", own.read, document
    if version.startswith("backstage.io/"):
        return "backstage", backstage.read, document
    if kubernetes.is_rule(document):
        return "kubernetes", kubernetes.read, document
    if document.get("kind") == "DataContract":
        return "odcs", odcs.read, document
    if _COMPOSE.match(PurePosixPath(path).name) and "services" in document:
        return "compose", compose.read, document
    return "", _nothing, document


def _nothing(_document: Any, _path: str) -> Statements:
    return Statements()


def _with_owners(statements: Statements, rules: Iterable[codeowners.Rule]) -> Statements:
    rules = list(rules)
    things = (
        one if one.owner else one._replace(owner=codeowners.owner_of(one.file, rules)) for one in statements.things
    )
    return replace(statements, things=tuple(things))
