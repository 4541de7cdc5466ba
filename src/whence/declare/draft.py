"""Writes what is missing into the declarations that a checkout already keeps, else into a ``whence.yaml``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import yaml

from whence.declare.formats import own
from whence.declare.formats.backstage import ANNOTATION
from whence.declare.names import Names, as_said
from whence.declare.splice import Splice, add_to_list, child, documents, quoted, spliced, text_of
from whence.errors import DecodeError
from whence.model.kinds import RelationType

OWN_FILE = "whence.yaml"
_FIELDS = {type_.value: field for field, type_ in own.RELATIONS.items()}


class Missing(NamedTuple):
    """A dependency that no file declares; both ends are keys of entities."""

    dependent: str
    type: str
    """As the API names it: ``CALLS``."""
    dependency: str


def draft(texts: Mapping[str, str], missing: Iterable[Missing]) -> dict[str, str]:
    """Texts of the files that change, by path; ``whence.yaml`` may be a new one.

    A dependent is completed in the first file that describes it: in our format or Backstage's. Compose files are left
    alone, because what they depend on must be part of them.
    """
    changed = dict(texts)
    left = [one for one in missing if not _completed(changed, one)]
    if left:
        changed[OWN_FILE] = _appended(changed.get(OWN_FILE, ""), left)
    return {path: text for path, text in changed.items() if text != texts.get(path)}


def _completed(texts: dict[str, str], missing: Missing) -> bool:
    """Complete the first file that describes a dependent; whether there is one."""
    for path, text in sorted(texts.items()):
        splice = _splice(text, missing)
        if splice is not None:
            texts[path] = spliced(text, splice)
            return True
    return False


def _splice(text: str, missing: Missing) -> Splice | None:
    """What to insert into a file, or None where it does not describe the dependent."""
    try:
        nodes = documents(text)
    except DecodeError:
        return None
    for node in nodes:
        if not isinstance(node, yaml.MappingNode):
            continue
        if child(node, "whence") is not None:
            found = _in_own(text, node, missing)
        elif text_of(child(node, "apiVersion")).startswith("backstage.io/"):
            found = _in_backstage(text, node, missing)
        else:
            found = None
        if found is not None:
            return found
    return None


def _in_own(text: str, document: yaml.MappingNode, missing: Missing) -> Splice | None:
    for thing in _things(document):
        if _means(text_of(child(thing, "name")), missing.dependent):
            return add_to_list(text, thing, _FIELDS[missing.type], missing.dependency)
    return None


def _in_backstage(text: str, document: yaml.MappingNode, missing: Missing) -> Splice | None:
    metadata, spec = child(document, "metadata"), child(document, "spec")
    given = text_of(child(child(metadata, "annotations"), ANNOTATION))
    name = given or text_of(child(metadata, "name"))
    if not isinstance(spec, yaml.MappingNode) or not _means(name, missing.dependent):
        return None
    kind = (
        "component" if missing.type == RelationType.CALLS and missing.dependency.startswith("otel://") else "resource"
    )
    return add_to_list(text, spec, "dependsOn", f"{kind}:{missing.dependency.rpartition('#')[2]}")


def _things(document: yaml.MappingNode) -> Iterator[yaml.MappingNode]:
    things = child(document, "things")
    if isinstance(things, yaml.SequenceNode):
        yield from (one for one in things.value if isinstance(one, yaml.MappingNode))


def _means(name: str, key: str) -> bool:
    try:
        return bool(name) and key in Names([key]).meant(as_said(name))
    except DecodeError:
        return False


def _appended(text: str, missing: Sequence[Missing]) -> str:
    """A file of our format with one more document that states what is missing."""
    by_dependent: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in missing:
        by_dependent[one.dependent][_FIELDS[one.type]].append(quoted(one.dependency))
    lines = ["---"] if text else []
    lines += ["whence: 1", "things:"]
    for dependent, fields in sorted(by_dependent.items()):
        lines.append(f"  - name: {quoted(dependent)}")
        lines += [f"    {field}: [{', '.join(names)}]" for field, names in fields.items()]
    before = text if not text or text.endswith("\n") else text + "\n"
    return before + "\n".join(lines) + "\n"
