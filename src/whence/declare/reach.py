"""How far a change of one column reaches: along columns where somebody knows them, along everything elsewhere.

What reads a dataset is hit unless it is known which columns it uses, and the changed one is not among them: lineage
events and files say where columns of data come from, files say which columns a service reads, and a job uses the
columns that its outputs are made from. A dataset whose columns are known is hit through its columns alone, never
through the job that writes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from whence.declare.declared import Declared
from whence.model.columns import Origin, column_origins
from whence.model.delta import Relation
from whence.model.graph import Subgraph
from whence.model.kinds import RelationType


class Reach(NamedTuple):
    """How a thing is hit."""

    columns: frozenset[str] | None
    """Its own columns that change; None: it has none, or nobody knows which."""
    is_known: bool
    """Every step is known to use what changes; else it only may."""

    def joined(self, other: Reach) -> Reach:
        """Hit in both ways."""
        if self.columns is None or other.columns is None:
            return Reach(None, self.is_known or other.is_known)
        return Reach(self.columns | other.columns, self.is_known or other.is_known)


class Reached(NamedTuple):
    """The part of a graph that a change reaches."""

    subgraph: Subgraph
    reach: Mapping[str, Reach]
    """By key of the entity."""


def reached(subgraph: Subgraph, declared: Declared, column: str) -> Reached:
    """What a change of one column of the roots reaches.

    Args:
        subgraph: Downstream of a dataset and its versions.
        declared: Over the entities in it.
        column: Of the roots, in any case.
    """
    walk = _Walk(subgraph, declared)
    walk.run(column.casefold())
    by_entity: dict[str, Reach] = {}
    for node, reach in walk.reach.items():
        key = subgraph.entities[node].base
        by_entity[key] = by_entity.get(key, reach).joined(reach)
    return Reached(walk.part(), by_entity)


class _Walk:
    """From the roots along incoming relations until nothing new is reached."""

    def __init__(self, subgraph: Subgraph, declared: Declared) -> None:
        self._subgraph = subgraph
        self._bases = {key: entity.base for key, entity in subgraph.entities.items()}
        self._known = _Known(subgraph, declared)
        self._incoming: dict[str, list[Relation]] = defaultdict(list)
        for relation in subgraph.relations:
            self._incoming[relation.key.dst].append(relation)
        self.reach: dict[str, Reach] = {}
        self._steps: list[Relation] = []

    def run(self, column: str) -> None:
        self.reach = dict.fromkeys(self._subgraph.roots, Reach(frozenset({column}), is_known=True))
        frontier = list(self.reach)
        while frontier:
            dependency = frontier.pop()
            for relation in self._incoming[dependency]:
                new = self._along(relation, self.reach[dependency])
                if new is None:
                    continue
                self._steps.append(relation)
                dependent = relation.key.src
                after = self.reach[dependent].joined(new) if dependent in self.reach else new
                if after != self.reach.get(dependent):
                    self.reach[dependent] = after
                    frontier.append(dependent)

    def part(self) -> Subgraph:
        """The subgraph of the steps that were taken, with distances along them."""
        relations = tuple(sorted(set(self._steps), key=lambda one: one.key))
        depth = dict.fromkeys(self._subgraph.roots, 0)
        frontier = set(depth)
        while frontier:
            hops = depth[next(iter(frontier))] + 1
            frontier = {one.key.src for one in relations if one.key.dst in frontier} - depth.keys()
            depth.update(dict.fromkeys(frontier, hops))
        entities = {key: entity for key, entity in self._subgraph.entities.items() if key in depth}
        return replace(self._subgraph, entities=entities, relations=relations, depth=depth)

    def _along(self, relation: Relation, reach: Reach) -> Reach | None:
        """How a dependent is hit through one relation; None if it isn't."""
        dependent, dependency = self._bases[relation.key.src], self._bases[relation.key.dst]
        if dependent == dependency:
            return reach
        made = self._known.made_from(dependent, dependency)
        if made is not None:
            hit = frozenset(column for column, source in made if _meets(source, reach.columns))
            return Reach(hit, reach.is_known) if hit else None
        if relation.key.type is RelationType.PRODUCED_BY and self._known.has_columns(dependent):
            return None
        used = self._known.used(dependent, dependency)
        if used is None:
            return Reach(None, is_known=False)
        return Reach(None, reach.is_known) if reach.columns is None or used & reach.columns else None


class _Known:
    """Which columns are made from which, and who uses which."""

    def __init__(self, subgraph: Subgraph, declared: Declared) -> None:
        self._origins: dict[str, set[tuple[str, Origin]]] = defaultdict(set)
        for key, entity in subgraph.entities.items():
            for column, origin in column_origins(entity):
                self._origins[key].add((column.casefold(), origin))
            for thing in declared.described(key):
                for column, dataset, source in thing.columns:
                    self._origins[key] |= {(column.casefold(), Origin(one, source)) for one in declared.meant(dataset)}
        self._used: dict[tuple[str, str], frozenset[str]] = {}
        self._add_declared(declared)
        self._add_jobs(subgraph)

    def has_columns(self, dataset: str) -> bool:
        """Whether anybody says where the columns of a dataset come from."""
        return dataset in self._origins

    def made_from(self, dataset: str, source: str) -> list[tuple[str, str | None]] | None:
        """Pairs of a column and the column of ``source`` (None: any) that it is made from; None if nobody says so."""
        origins = self._origins.get(dataset, ())
        if not any(one.dataset in (source, None) for _, one in origins):
            return None
        return [
            (column, one.column and one.column.casefold()) for column, one in origins if one.dataset in (source, None)
        ]

    def used(self, dependent: str, dependency: str) -> frozenset[str] | None:
        """Columns of a dependency that a dependent uses; None if nobody says so."""
        return self._used.get((dependent, dependency))

    def _add_declared(self, declared: Declared) -> None:
        for statement in declared.statements:
            if statement.edge.columns:
                for dependent, dependency in declared.pairs_of(statement.edge):
                    for column in statement.edge.columns:
                        self._use(dependent, dependency, column)

    def _add_jobs(self, subgraph: Subgraph) -> None:
        """A job uses what its outputs are made from, provided that this is known of every one of them."""
        bases = {key: entity.base for key, entity in subgraph.entities.items()}
        outputs: dict[str, set[str]] = defaultdict(set)
        for relation in subgraph.relations:
            if relation.key.type is RelationType.PRODUCED_BY:
                outputs[bases[relation.key.dst]].add(bases[relation.key.src])
        for job, written in outputs.items():
            origins = [origin for one in written for _, origin in self._origins.get(one, ())]
            if all(map(self.has_columns, written)) and all(one.column is not None for one in origins):
                for dataset, column in origins:
                    self._use(job, dataset or "", column or "")

    def _use(self, dependent: str, dependency: str, column: str) -> None:
        before = self._used.get((dependent, dependency), frozenset())
        self._used[dependent, dependency] = before | {column.casefold()}


def _meets(source: str | None, changed: frozenset[str] | None) -> bool:
    return source is None or changed is None or source in changed
