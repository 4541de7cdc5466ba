"""Labels read from the store: who bears which, and how far each travels in a window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from whence.api.resolve import with_versions
from whence.api.window import Window
from whence.declare.declared import Declared
from whence.declare.statements import Source
from whence.governance.inheriting import inherit
from whence.model.delta import Entity
from whence.model.graph import Subgraph
from whence.model.kinds import EntityKind
from whence.store.protocol import MAX_HOPS, MAX_NODES, MAX_PAGE, ClosureQuery, GraphReader, SearchQuery

MOST_BEARERS = 2_000
"""Datasets and models whose own tags are looked at."""
_BEARERS = frozenset({EntityKind.DATASET, EntityKind.MODEL})


class Spread(NamedTuple):
    """Everything downstream of what bears a label; the roots of ``subgraph`` bear it."""

    label: str
    subgraph: Subgraph


async def read_spreads(
    reader: GraphReader, sources: Sequence[Source], window: Window
) -> tuple[list[Spread], dict[str, Entity], bool]:
    """How far every label travels; the entities met; and whether a bound cut anything off."""
    bearers, cut = await _bearers(reader, sources)
    spreads = []
    entities: dict[str, Entity] = {}
    for label, bearing in sorted(bearers.items()):
        roots = [key for entity in bearing.values() for key in await with_versions(reader, entity)]
        query = ClosureQuery(
            roots=tuple(roots),
            from_ns=window.from_ns,
            to_ns=window.to_ns,
            environment=window.environment,
            max_hops=MAX_HOPS,
            max_nodes=MAX_NODES,
            known_ns=window.known_ns,
        )
        subgraph = await reader.downstream(query)
        cut = cut or subgraph.truncated
        spreads.append(Spread(label, subgraph))
        entities.update(subgraph.entities)
    return spreads, entities, cut


async def _bearers(reader: GraphReader, sources: Sequence[Source]) -> tuple[Mapping[str, Mapping[str, Entity]], bool]:
    """Entities by the label that they bear: by files, tags of lineage events, or what files say they are made of."""
    known, cut = await _taggable(reader)
    for name in _mentioned(sources):
        if "#" in name:
            entity = await reader.entity(name)
            known.update({entity.key: entity} if entity is not None else {})
        else:
            known.update({one.key: one for one in await reader.named(name)})
    declared = Declared(sources, known)
    labels = {key: declared.labels(key) | _own_labels(entity) for key, entity in known.items()}
    inherited = inherit(labels, declared)
    found: dict[str, dict[str, Entity]] = defaultdict(dict)
    for key, entity in known.items():
        for label in inherited.get(key, ()):
            found[label][key] = entity
    return found, cut


def _mentioned(sources: Sequence[Source]) -> list[str]:
    """Names that files give labels, or say were made from something."""
    said = {thing.name for source in sources for thing in source.statements.things if thing.labels}
    made = {edge.dependent for source in sources for edge in source.statements.edges if edge.type.is_lasting}
    return sorted(said | made)


async def _taggable(reader: GraphReader) -> tuple[dict[str, Entity], bool]:
    found: dict[str, Entity] = {}
    cursor: str | None = None
    while len(found) < MOST_BEARERS:
        page = await reader.search(SearchQuery(kinds=_BEARERS, limit=MAX_PAGE, cursor=cursor))
        found.update({one.key: one for one in page.items})
        cursor = page.cursor
        if cursor is None:
            return found, False
    return found, True


def _own_labels(entity: Entity) -> set[str]:
    """Tags of lineage events, ``key`` or ``key=value``; of the latter the key alone is a label too."""
    tags = (entity.attribute("tags") or "").split()
    return {*tags, *(tag.partition("=")[0] for tag in tags)}
