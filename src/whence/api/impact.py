"""The blast radius as people need it: who is hit, how hard, who has to be told, and who never said that they depend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from whence.api.traffic import Volume
from whence.declare.declared import RUNTIME, Declared
from whence.model.delta import Relation, RelationKey
from whence.model.graph import Subgraph
from whence.model.kinds import Layer
from whence.wording import short

_CRITICALITY = ("service.criticality", "criticality")


class Impact(NamedTuple):
    """One entity that depends on the root, through any of its versions."""

    key: str
    kind: str
    hops: int
    """1: it depends directly."""
    calls: float
    """Over its relations that lead to the root, in the counted part of the window."""
    environments: tuple[str, ...]
    through: tuple[str, ...]
    """Entities by which it depends, nearest to the root."""
    undeclared: tuple[str, ...]
    """Those of ``through`` that no file says it needs."""
    owner: str | None
    criticality: str | None
    calls_in: Mapping[str, float]
    """``calls`` by environment."""


def impacts(subgraph: Subgraph, traffic: Mapping[RelationKey, Volume], declared: Declared) -> tuple[Impact, ...]:
    """Everything that is hit, the nearest first, among those the busiest first.

    Args:
        subgraph: Downstream of the root and its versions.
        traffic: Of the relations in it.
        declared: Over the entities in it.
    """
    bases = {key: entity.base for key, entity in subgraph.entities.items()}
    roots = {bases[root] for root in subgraph.roots}
    leading: dict[str, list[Relation]] = defaultdict(list)
    for relation in subgraph.relations:
        src, dst = relation.key.src, relation.key.dst
        if bases[src] not in roots and bases[src] != bases[dst] and subgraph.depth[dst] < subgraph.depth[src]:
            leading[bases[src]].append(relation)
    hops = _hops(leading, bases, roots)
    found = [_impact(key, relations, subgraph, traffic, declared, hops[key]) for key, relations in leading.items()]
    return tuple(sorted(found, key=lambda one: (one.hops, -one.calls, one.key)))


def message(what: str, hit: Sequence[Impact], known: Collection[str]) -> str:
    """Markdown to paste to those who have to know.

    Args:
        what: What is about to change.
        hit: What depends on it.
        known: Keys of those that certainly use what changes; the others may.
    """
    by_owner: dict[str, list[Impact]] = defaultdict(list)
    for one in hit:
        by_owner[one.owner or ""].append(one)
    count = "1 thing depends" if len(hit) == 1 else f"{len(hit)} things depend"
    lines = [f"{what} is about to change. {count} on it:", ""]
    for owner, theirs in sorted(by_owner.items(), key=lambda item: (item[0] == "", item[0])):
        mentions = "; ".join(_mention(one, is_known=one.key in known) for one in theirs)
        lines.append(f"- {owner or 'nobody is known to own'}: {mentions}")
    return "\n".join(lines)


def _impact(
    key: str,
    relations: list[Relation],
    subgraph: Subgraph,
    traffic: Mapping[RelationKey, Volume],
    declared: Declared,
    hops: int,
) -> Impact:
    entities = subgraph.entities
    through = {entities[one.key.dst].base for one in relations}
    observed = [one.key for one in relations if one.key.layer is Layer.OBSERVED and one.key.type in RUNTIME]
    silent = {
        entities[one.dst].base for one in observed if not _is_declared(declared, key, entities[one.dst].base, one)
    }
    own = [entities[node] for node in dict.fromkeys((key, *(one.key.src for one in relations))) if node in entities]
    calls_in: dict[str, float] = defaultdict(float)
    for one in relations:
        calls_in[one.key.environment] += traffic.get(one.key, Volume()).calls
    return Impact(
        key=key,
        kind=own[0].kind.value,
        hops=hops,
        calls=sum(calls_in.values()),
        environments=tuple(sorted({one.key.environment for one in relations if one.key.environment})),
        through=tuple(sorted(through)),
        undeclared=tuple(sorted(silent)),
        owner=_first(one.attribute("owner") for one in own) or declared.owner(key),
        criticality=_first(one.attribute(name) for one in own for name in _CRITICALITY),
        calls_in={environment: calls for environment, calls in sorted(calls_in.items()) if calls},
    )


def _is_declared(declared: Declared, dependent: str, dependency: str, key: RelationKey) -> bool:
    statements = declared.covering(dependent, dependency, key.environment)
    return any(one.edge.layer is Layer.DECLARED for one in statements)


def _hops(leading: Mapping[str, list[Relation]], bases: Mapping[str, str], roots: set[str]) -> dict[str, int]:
    """Steps between entities from each to the nearest root; a step from a version to its entity is none."""
    dependents: dict[str, set[str]] = defaultdict(set)
    for key, relations in leading.items():
        for relation in relations:
            dependents[bases[relation.key.dst]].add(key)
    found = dict.fromkeys(roots, 0)
    frontier = set(roots)
    while frontier:
        frontier = {one for near in frontier for one in dependents[near]} - found.keys()
        found.update(dict.fromkeys(frontier, max(found.values()) + 1))
    return {key: found.get(key, 0) for key in leading}


def _mention(one: Impact, *, is_known: bool) -> str:
    facts = ["directly" if one.hops == 1 else f"{one.hops} steps away"]
    facts += [] if is_known else ["perhaps"]
    facts += [f"{one.calls:.0f} calls"] if one.calls else []
    facts += ["undeclared"] if one.undeclared else []
    return f"{short(one.key)} ({', '.join(facts)})"


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)
