"""What differs between a graph then and now. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from whence.model.delta import Entity, Relation, RelationKey
from whence.model.graph import Subgraph


class VersionShift(NamedTuple):
    """The versions of one entity that were in use before and after; keys, sorted."""

    entity: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class GraphDiff(NamedTuple):
    """Everything that is only on one side; an entity that is on both is told by the shift of its versions."""

    added: tuple[Entity, ...]
    removed: tuple[Entity, ...]
    added_relations: tuple[Relation, ...]
    removed_relations: tuple[Relation, ...]
    shifts: tuple[VersionShift, ...]


def diff(before: Subgraph, after: Subgraph) -> GraphDiff:
    """Compare two closures of the same root.

    Relations are compared between entities, so that a roll-out alone does not show as one relation gone and one come;
    it shows as a shift.
    """
    old_relations, new_relations = _between_entities(before), _between_entities(after)
    old, new = _versions(before.entities.values()), _versions(after.entities.values())
    shifts = [VersionShift(base, old[base], new[base]) for base in sorted(old.keys() & new.keys())]
    return GraphDiff(
        added=_only_in(after, before),
        removed=_only_in(before, after),
        added_relations=_missing_from(new_relations, old_relations),
        removed_relations=_missing_from(old_relations, new_relations),
        shifts=tuple(shift for shift in shifts if shift.before != shift.after),
    )


def _only_in(here: Subgraph, there: Subgraph) -> tuple[Entity, ...]:
    """What the other side does not know, by no version either; an entity known by versions alone is told by these."""
    known = {entity.base for entity in there.entities.values()}
    return tuple(
        entity
        for key, entity in sorted(here.entities.items())
        if entity.base not in known and (not entity.is_version or entity.base not in here.entities)
    )


def _between_entities(subgraph: Subgraph) -> dict[RelationKey, Relation]:
    def base(key: str) -> str:
        entity = subgraph.entities.get(key)
        return entity.base if entity is not None else key

    lifted = {one.key._replace(src=base(one.key.src), dst=base(one.key.dst)): one for one in subgraph.relations}
    return {key: one for key, one in lifted.items() if key.src != key.dst}


def _missing_from(here: Mapping[RelationKey, Relation], there: Mapping[RelationKey, Relation]) -> tuple[Relation, ...]:
    return tuple(here[key] for key in sorted(here.keys() - there.keys()))


def _versions(entities: Iterable[Entity]) -> dict[str, tuple[str, ...]]:
    """Keys of the versions in use, by entity; empty for an entity without any."""
    found: dict[str, list[str]] = defaultdict(list)
    for entity in entities:
        found[entity.base] += [entity.key] if entity.is_version else []
    return {base: tuple(sorted(keys)) for base, keys in found.items()}
