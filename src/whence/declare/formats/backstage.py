"""Backstage ``catalog-info.yaml``: components, APIs and resources, who owns them and what they depend on.

A name joins what spans call a service by the annotation ``whence/ref``, else by being the same in any case.
"""

from __future__ import annotations

from collections.abc import Iterator

from whence.declare.located import Located, items
from whence.declare.names import as_said
from whence.declare.statements import Alias, Edge, Statements, Thing
from whence.intake.fields import as_map, as_text
from whence.model.kinds import EntityKind, RelationType

ANNOTATION = "whence/ref"
_KINDS = {"component": EntityKind.SERVICE, "resource": EntityKind.DATASET, "api": EntityKind.SERVICE}
_MODEL_TYPES = frozenset({"ml-model", "model"})


def read(document: Located, path: str) -> Statements:
    """Statements of one entity; kinds that depend on nothing (System, Group, ...) state nothing."""
    kind = (as_text(document.get("kind")) or "").lower()
    metadata, spec = document.get("metadata"), document.get("spec")
    if kind not in _KINDS or not isinstance(metadata, Located) or not isinstance(spec, Located):
        return Statements()
    own = as_text(metadata.get("name")) or ""
    given = as_text(as_map(metadata.get("annotations")).get(ANNOTATION))
    name = as_said(given) if given else own
    aliases = [Alias(f"{kind}:{own}", name), *([Alias(own, name)] if given else [])]
    if kind == "api":
        return Statements(things=())
    return Statements(
        edges=tuple(_edges(name, spec, path)),
        things=(_thing(name, _kind_of(kind, spec), document, path),),
        aliases=(*aliases, *(Alias(f"api:{_name(api, 'api')[1]}", name) for api, _ in items(spec.get("providesApis")))),
    )


def _edges(name: str, spec: Located, path: str) -> Iterator[Edge]:
    for target, line in items(spec.get("dependsOn")):
        kind, bare = _name(target, "component")
        reads = RelationType.READS if kind == "resource" else RelationType.CALLS
        yield Edge(name, reads, f"{kind}:{bare}", path, line)
    for target, line in items(spec.get("consumesApis")):
        _, bare = _name(target, "api")
        yield Edge(name, RelationType.CALLS, f"api:{bare}", path, line)
    for target, line in items(spec.get("dependencyOf")):
        kind, bare = _name(target, "component")
        yield Edge(f"{kind}:{bare}", RelationType.CALLS, name, path, line)


def _thing(name: str, kind: EntityKind, document: Located, path: str) -> Thing:
    metadata, spec = as_map(document.get("metadata")), as_map(document.get("spec"))
    links = [as_map(link) for link, _ in items(metadata.get("links"))]
    return Thing(
        name=name,
        kind=kind,
        file=path,
        line=document.line,
        owner=_name(as_text(spec.get("owner")) or "", "group")[1],
        labels=tuple(str(tag) for tag, _ in items(metadata.get("tags"))),
        lifecycle=as_text(spec.get("lifecycle")) or "",
        description=as_text(metadata.get("description")) or "",
        url=as_text(links[0].get("url")) or "" if links else "",
    )


def _kind_of(kind: str, spec: Located) -> EntityKind:
    return EntityKind.MODEL if as_text(spec.get("type")) in _MODEL_TYPES else _KINDS[kind]


def _name(reference: object, default_kind: str) -> tuple[str, str]:
    """Kind and name of ``[kind:][namespace/]name``."""
    kind, colon, rest = (as_text(reference) or "").rpartition(":")
    return (kind.lower() if colon else default_kind), rest.rpartition("/")[2]
