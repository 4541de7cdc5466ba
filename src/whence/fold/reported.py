"""Calls that others counted: a counter that moved since its last report says that there were calls.

They are told as relations without counts, since those of them that came as spans too would count twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from whence.model.delta import Entity, GraphDelta, Relation, RelationKey, merge_entity, merge_relation
from whence.model.kinds import EntityKind, RelationType
from whence.model.spans import ReportedCalls, Source

MAX_SERIES = 65_536


class Reported:
    """Remembers where each counter stood. Bounded: the oldest is forgotten, and its next report counts as a call."""

    def __init__(self) -> None:
        self._stood: dict[bytes, tuple[int, float]] = {}

    def hear(self, reports: Sequence[ReportedCalls], known_ns: int) -> GraphDelta:
        """Take what was reported; gives the calls that it tells of."""
        entities: dict[str, Entity] = {}
        relations: dict[RelationKey, Relation] = {}
        for one in reports:
            if self._moved(one):
                _add(entities, relations, one, known_ns)
        return GraphDelta(entities=entities, relations=relations)

    def _moved(self, one: ReportedCalls) -> bool:
        if one.is_delta:
            return one.value > 0
        start_ns, stood = self._stood.pop(one.series, (one.start_ns, 0.0))
        is_same = start_ns == one.start_ns and one.value >= stood
        self._stood[one.series] = one.start_ns, one.value  # at the end of the order, since it is in use
        if len(self._stood) > MAX_SERIES:
            del self._stood[next(iter(self._stood))]
        return one.value > (stood if is_same else 0.0)


def _add(
    entities: dict[str, Entity], relations: dict[RelationKey, Relation], one: ReportedCalls, known_ns: int
) -> None:
    seen = one.time_ns
    for end in (one.caller, one.callee):
        for entity in _entities(end, seen):
            present = entities.get(entity.key)
            entities[entity.key] = merge_entity(present, entity) if present else entity
        if end.version != end.service:
            key = RelationKey(end.service, RelationType.HAS_VERSION, end.version, end.environment)
            _relate(relations, Relation(key, seen, seen, seen, known_ns))
    key = RelationKey(one.caller.version, RelationType.CALLS, one.callee.version, one.caller.environment)
    _relate(relations, Relation(key, seen, seen, seen, known_ns))


def _entities(end: Source, seen_ns: int) -> list[Entity]:
    found = [Entity(end.service, EntityKind.SERVICE, end.service, seen_ns, seen_ns)]
    if end.version != end.service:
        found.append(Entity(end.version, EntityKind.SERVICE_VERSION, end.service, seen_ns, seen_ns))
    return found


def _relate(relations: dict[RelationKey, Relation], one: Relation) -> None:
    present = relations.get(one.key)
    relations[one.key] = merge_relation(present, one) if present else one
