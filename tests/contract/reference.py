"""The reads of the contract in plain Python over one merged delta: slow, obvious, and what every store must equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from whence.model.change import Change
from whence.model.delta import ALL_REQUESTS, Entity, Example, GraphDelta, Relation, RelationKey, merge_all
from whence.model.environments import bears_on
from whence.model.graph import Dependency, EdgeRow, ExposureRow, OperationRow, Subgraph
from whence.model.kinds import VERSION_KINDS, RelationType
from whence.model.profile import SnapshotProfile
from whence.model.rows import EdgeRows, ExposureRows, OperationRows
from whence.store.protocol import (
    BucketQuery,
    ChangeQuery,
    ClosureQuery,
    DependencyQuery,
    ExposureQuery,
    Page,
    SearchQuery,
)
from whence.store.rules import (
    MAX_NAMESAKES,
    ascii_lower,
    nearest_keys,
    search_words,
    subject_names,
    writer_known_ns,
)


class ReferenceReader:
    """Reads of the graph that some deltas make together. Lists are first pages only."""

    def __init__(self, deltas: Iterable[GraphDelta]) -> None:
        self.graph = merge_all(deltas)

    async def upstream(self, query: ClosureQuery) -> Subgraph:
        """Breadth first along outgoing relations."""
        return self._closure(query, outgoing=True)

    async def downstream(self, query: ClosureQuery) -> Subgraph:
        """Breadth first along incoming relations."""
        return self._closure(query, outgoing=False)

    def _closure(self, query: ClosureQuery, *, outgoing: bool) -> Subgraph:
        roots = [root for root in dict.fromkeys(query.roots) if root in self.graph.entities]
        relations = [one for one in self.graph.relations.values() if _is_admitted(one, query)]
        steps = [_ends(one, outgoing=outgoing) for one in relations]
        full = dict.fromkeys(roots, 0)
        for hop in range(query.max_hops):
            reached = {far for near, far in steps if full.get(near) == hop}
            full.update((node, hop + 1) for node in reached - full.keys())
        nearest = sorted(full, key=lambda node: (full[node], node))[: query.max_nodes]
        depth = {node: full[node] for node in nearest}
        kept = [
            one
            for one, (near, far) in zip(relations, steps, strict=True)
            if far in depth and depth.get(near, query.max_hops) < query.max_hops
        ]
        return Subgraph(
            roots=tuple(root for root in roots if root in depth),
            entities={node: self.graph.entities[node] for node in depth},
            relations=tuple(sorted(kept, key=lambda one: one.key)),
            depth=depth,
            truncated=len(depth) < len(full),
        )

    async def dependencies(self, query: DependencyQuery) -> Sequence[Dependency]:
        """Relations by the bases of their ends."""
        found: dict[RelationKey, Dependency] = {}
        for one in self.graph.relations.values():
            if _is_admitted(one, query):
                src, dst = (self.graph.entities[end].base for end in (one.key.src, one.key.dst))
                key = one.key._replace(src=src, dst=dst)
                seen = found.get(key, Dependency(*key, one.first_seen_ns, one.last_seen_ns))
                first, last = min(seen.first_seen_ns, one.first_seen_ns), max(seen.last_seen_ns, one.last_seen_ns)
                found[key] = Dependency(*key, first, last)
        return list(found.values())

    async def edge_rows(self, query: BucketQuery) -> EdgeRows:
        """Rows of relations among the nodes."""
        return EdgeRows.of(
            EdgeRow(key.relation, key.start_s, *(counts if query.latency else counts._replace(latency=b""))[1:])
            for key, counts in self.graph.edges.items()
            if {key.relation.src, key.relation.dst} <= set(query.nodes)
            and query.from_s <= key.start_s < query.to_s
            and query.environment in (None, key.relation.environment)
            and _was_known(writer_known_ns(key.writer), query.known_ns)
        )

    async def examples(self, nodes: Sequence[str]) -> Mapping[RelationKey, Example]:
        """Examples of relations among the nodes."""
        return {key: one for key, one in self.graph.examples.items() if {key.src, key.dst} <= set(nodes)}

    async def operation_rows(self, query: BucketQuery) -> OperationRows:
        """Rows of the nodes."""
        return OperationRows.of(
            OperationRow(key.node, key.operation, key.start_s, *counts[1:])
            for key, counts in self.graph.operations.items()
            if key.node in query.nodes
            and query.from_s <= key.start_s < query.to_s
            and query.environment in (None, key.environment)
            and _was_known(writer_known_ns(key.writer), query.known_ns)
        )

    async def exposure_rows(self, query: ExposureQuery) -> ExposureRows:
        """Rows of the entry."""
        return ExposureRows.of(
            ExposureRow(key.service, key.operation, key.node, key.start_s, *counts[1:])
            for key, counts in self.graph.exposures.items()
            if key.service == query.service
            and query.operation in (None, key.operation)
            and (query.nodes is None or key.node in (ALL_REQUESTS, *query.nodes))
            and query.from_s <= key.start_s < query.to_s
            and query.environment in (None, key.environment)
            and _was_known(writer_known_ns(key.writer), query.known_ns)
        )

    async def changes(self, query: ChangeQuery) -> Page[Change]:
        """The first page."""
        names = None if query.subjects is None else subject_names(query.subjects)
        found = [
            one
            for one in self.graph.changes.values()
            if query.from_ns <= one.effective_ns < query.to_ns
            and (names is None or one.subject in names)
            and bears_on(one.environment, query.environment)
            and _was_known(one.known_ns, query.known_ns)
        ]
        found.sort(key=lambda one: (-one.effective_ns, one.id))
        return Page(tuple(found[: query.limit]), "more" if len(found) > query.limit else None)

    async def change(self, change_id: str) -> Change | None:
        """One change."""
        return self.graph.changes.get(change_id)

    async def versions(self, bases: Sequence[str], environment: str | None, known_ns: int | None) -> Sequence[Relation]:
        """Relations to versions."""
        return [
            one
            for one in self.graph.relations.values()
            if one.key.type is RelationType.HAS_VERSION
            and one.key.src in bases
            and bears_on(one.key.environment, environment)
            and _was_known(one.known_ns, known_ns)
        ]

    async def profiles(self, datasets: Sequence[str], before_ns: int, limit: int) -> Sequence[SnapshotProfile]:
        """The latest of each dataset."""
        earlier = [one for one in self.graph.profiles.values() if one.at_ns < before_ns]
        earlier.sort(key=lambda one: -one.at_ns)
        return [one for name in set(datasets) for one in [p for p in earlier if p.dataset == name][:limit]]

    async def entity(self, key: str) -> Entity | None:
        """One entity."""
        return self.graph.entities.get(key)

    async def entities(self, keys: Sequence[str]) -> Sequence[Entity]:
        """Some entities."""
        return [self.graph.entities[key] for key in set(keys) if key in self.graph.entities]

    async def named(self, name: str) -> tuple[Entity, ...]:
        """Namesakes."""
        keys = [key for key in self._plain() if key == name or key.endswith(f"#{name}")]
        return tuple(self.graph.entities[key] for key in keys[:MAX_NAMESAKES])

    async def nearest(self, name: str, limit: int) -> tuple[str, ...]:
        """Lookalikes."""
        return nearest_keys(name, self._plain(), limit)

    async def search(self, query: SearchQuery) -> Page[Entity]:
        """The first page."""
        found = [one for one in self.graph.entities.values() if _is_found(one, query)]
        found.sort(key=lambda one: (0 if query.base is None else -one.first_seen_ns, one.key))
        return Page(tuple(found[: query.limit]), "more" if len(found) > query.limit else None)

    def _plain(self) -> list[str]:
        return sorted(key for key, entity in self.graph.entities.items() if not entity.is_version)


def _was_known(known_ns: int, by_ns: int | None) -> bool:
    return by_ns is None or known_ns <= by_ns


def _ends(relation: Relation, *, outgoing: bool) -> tuple[str, str]:
    key = relation.key
    return (key.src, key.dst) if outgoing else (key.dst, key.src)


def _is_admitted(relation: Relation, query: ClosureQuery | DependencyQuery) -> bool:
    key = relation.key
    return (
        relation.first_seen_ns < query.to_ns
        and relation.active_until_ns >= query.from_ns
        and (not query.types or key.type in query.types)
        and key.layer in query.layers
        and (bears_on(key.environment, query.environment) or key.type.is_lasting)
        and _was_known(relation.known_ns, query.known_ns)
    )


def _is_found(entity: Entity, query: SearchQuery) -> bool:
    if query.base is not None:
        is_listed = entity.is_version and entity.base == query.base
    else:
        is_listed = not entity.is_version or bool(query.kinds & set(VERSION_KINDS.values()))
    return (
        is_listed
        and all(word in ascii_lower(entity.key) for word in search_words(query.text))
        and (not query.kinds or entity.kind in query.kinds)
        and query.owner in (None, entity.attribute("owner"))
    )
