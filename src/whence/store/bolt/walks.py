"""Closures around some roots: one query as a rule, two more if the bound on nodes cuts the walk off.

How this works: the server walks breadth first and gives the nearest nodes with all their relations, but not how far
away each is (asking for that makes it enumerate paths), so depths are found here, from the relations. The server's
order within one depth is its own. A walk that was cut off therefore asks once more for the depth in which the bound
falls, in order of keys, so that equal questions get equal answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from neo4j import AsyncManagedTransaction

from whence.model.delta import Entity, Relation
from whence.model.graph import Subgraph
from whence.store.bolt import queries
from whence.store.bolt.connection import run_collected
from whence.store.bolt.queries import FOREVER
from whence.store.bolt.rows import Row, to_entity, to_relation
from whence.store.protocol import ClosureQuery


class _Node(NamedTuple):
    """A node that the walk met, with every relation that leads on from it."""

    entity: Entity
    relations: list[tuple[str, Relation]]
    """Key of the far end, and the relation."""


Nodes = dict[str, _Node]


class Walk:
    """One closure. ``downstream`` follows relations against their direction."""

    def __init__(self, query: ClosureQuery, *, downstream: bool) -> None:
        self._query = query
        self._downstream = downstream
        self._restrictions = {
            "from_ns": query.from_ns,
            "to_ns": query.to_ns,
            "environment": query.environment,
            "layers": sorted(query.layers),
            "types": sorted(query.types) or None,
            "known_ns": FOREVER if query.known_ns is None else query.known_ns,
        }

    async def read(self, tx: AsyncManagedTransaction) -> Subgraph:
        """Walk, and give what was met."""
        query = self._query
        text = queries.nearest_nodes(query.max_hops, downstream=self._downstream)
        roots = list(dict.fromkeys(query.roots))
        nodes = await self._nodes(tx, text, {"roots": roots, "limit": query.max_nodes + 1})
        truncated = len(nodes) > query.max_nodes
        if truncated:
            nodes = await self._cut(tx, roots, nodes)
        roots = [key for key in roots if key in nodes]
        depth = _depths(roots, nodes)
        return Subgraph(
            roots=tuple(roots),
            entities={key: nodes[key].entity for key in depth},
            relations=self._followed(nodes, depth),
            depth=depth,
            truncated=truncated,
        )

    async def _nodes(self, tx: AsyncManagedTransaction, text: str, parameters: Mapping[str, Any]) -> Nodes:
        rows = await run_collected(tx, text, {**self._restrictions, **parameters})
        return {entity[0]: _Node(to_entity(entity), self._relations(entity[0], found)) for entity, found in rows}

    def _relations(self, near: str, found: Iterable[Row]) -> list[tuple[str, Relation]]:
        if self._downstream:
            return [(far, to_relation([far, type_, near, *rest])) for type_, far, *rest in found]
        return [(far, to_relation([near, type_, far, *rest])) for type_, far, *rest in found]

    async def _cut(self, tx: AsyncManagedTransaction, roots: list[str], nodes: Nodes) -> Nodes:
        """The ``max_nodes`` nearest nodes, ties by key, of one node more than that.

        Every node nearer than the farthest of those is among them; of the nodes as far away, some may be missing.
        """
        query = self._query
        depth = _depths([key for key in roots if key in nodes], nodes)
        last = sorted(depth.values())[query.max_nodes]
        settled = [key for key, hops in depth.items() if hops < last]
        parameters = {"roots": roots, "settled": settled, "limit": query.max_nodes - len(settled), **self._restrictions}
        text = queries.keys_within(last, downstream=self._downstream)
        tied = await run_collected(tx, text, parameters)
        missing = [key for key in tied if key not in nodes]
        if missing:
            text = queries.nodes_by_key(downstream=self._downstream)
            nodes = nodes | await self._nodes(tx, text, {"keys": missing})
        return {key: nodes[key] for key in (*settled, *tied)}

    def _followed(self, nodes: Nodes, depth: Mapping[str, int]) -> tuple[Relation, ...]:
        """Relations between the nodes, without those that lead on from the last hop."""
        relations = [
            relation
            for key, hops in depth.items()
            if hops < self._query.max_hops
            for far, relation in nodes[key].relations
            if far in depth
        ]
        return tuple(sorted(relations, key=lambda one: one.key))


def _depths(roots: Iterable[str], nodes: Nodes) -> dict[str, int]:
    """Hops from the nearest root, in order of distance."""
    depth = dict.fromkeys(roots, 0)
    for key in (queue := list(depth)):
        for far, _ in nodes[key].relations:
            if far in nodes and far not in depth:
                depth[far] = depth[key] + 1
                queue.append(far)
    return depth
