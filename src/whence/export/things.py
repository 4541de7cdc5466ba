"""A piece of the graph as entities: versions are told as what they are versions of."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from whence.model.graph import Subgraph
from whence.model.kinds import RelationType

_VERSION_SUFFIX = "_version"


class Node(NamedTuple):
    """An entity."""

    key: str
    kind: str
    owner: str | None
    versions: tuple[str, ...]
    """Keys of its versions that are part of the piece, sorted."""

    @property
    def name(self) -> str:
        """Its name without the namespace."""
        return self.key.rpartition("#")[2]


class Edge(NamedTuple):
    """``dependent`` needs ``dependency``."""

    dependent: str
    dependency: str
    types: tuple[str, ...]


class Graph(NamedTuple):
    """Nodes by key, edges by their ends."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    at: str = "1970-01-01T00:00:00Z"
    """Of when it tells, RFC 3339."""


def graph_of(subgraph: Subgraph, at: str) -> Graph:
    """Lift a closure, as it was at a time, from versions to entities. O(V log V + E log E)."""
    entities = subgraph.entities
    members: dict[str, list[str]] = defaultdict(list)
    for entity in entities.values():
        members[entity.base].append(entity.key)
    nodes = tuple(_node(base, sorted(members[base]), subgraph) for base in sorted(members))
    types: dict[tuple[str, str], set[str]] = defaultdict(set)
    for relation in subgraph.relations:
        src, dst = (entities[key].base if key in entities else key for key in (relation.key.src, relation.key.dst))
        if relation.key.type is not RelationType.HAS_VERSION and src != dst and src in members and dst in members:
            types[src, dst].add(relation.key.type.value)
    return Graph(nodes, tuple(Edge(*ends, tuple(sorted(types[ends]))) for ends in sorted(types)), at)


def _node(base: str, members: list[str], subgraph: Subgraph) -> Node:
    known = subgraph.entities.get(base) or subgraph.entities[members[0]]
    kind = "job" if known.kind.value == "run" else known.kind.value.removesuffix(_VERSION_SUFFIX)
    return Node(base, kind, known.attribute("owner"), tuple(key for key in members if key != base))
