"""How a label travels: from what bears it to everything that depends on it, until somebody declassifies it.

It travels against the direction of relations: training data to model, model to service, service to its callers. It is
carried by versions: a service that uses another version of a model, trained without the data, does not carry it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple

from whence.model.delta import Relation
from whence.model.graph import Subgraph


class Arrival(NamedTuple):
    """A label at a node."""

    node: str
    path: tuple[Relation, ...]
    """From the node to what bears the label, one relation after the other; empty where the node bears it itself."""

    def keys(self) -> tuple[str, ...]:
        """Nodes of the path, the dependent first. An entity followed by its own version is left out."""
        keys = (self.node, *(one.key.dst for one in self.path))
        return tuple(key for key, after in zip(keys, (*keys[1:], ""), strict=True) if not after.startswith(f"{key}@"))


def carry(subgraph: Subgraph, ends_at: Collection[str]) -> Iterator[Arrival]:
    """Every node that a label reaches, the nearest first, by one shortest path each.

    Args:
        subgraph: Downstream of everything that bears the label; its roots bear it.
        ends_at: Keys of entities or versions at which it was declassified: they don't carry it, nor pass it on.
    """
    incoming: dict[str, list[Relation]] = defaultdict(list)
    for relation in subgraph.relations:
        incoming[relation.key.dst].append(relation)
    found = {root: Arrival(root, ()) for root in subgraph.roots if not _ends(subgraph, root, ends_at)}
    frontier = list(found)
    while frontier:
        reached: list[str] = []
        for near in frontier:
            yield found[near]
            for relation in incoming[near]:
                far = relation.key.src
                if far not in found and not _ends(subgraph, far, ends_at):
                    found[far] = Arrival(far, (relation, *found[near].path))
                    reached.append(far)
        frontier = reached


def _ends(subgraph: Subgraph, node: str, ends_at: Collection[str]) -> bool:
    return node in ends_at or (node in subgraph.entities and subgraph.entities[node].base in ends_at)
