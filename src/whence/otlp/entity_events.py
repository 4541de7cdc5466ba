"""Entity events (``entity.state`` log records) to relations: the heartbeat that no sampling hides.

Each event is the full current state of one service instance and lists what it reads, writes, uses and calls. It holds
until the next report, so relations stay active for one report interval beyond the event. Who called it is listed by the
short ids that callers send along; whose they are, the callers' own events say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from whence.model import names
from whence.model.delta import Entity, GraphDelta, Relation, RelationKey, merge_entity, merge_relation
from whence.model.kinds import FOREVER_NS, VERSION_KINDS, EntityKind, RelationType
from whence.model.refs import parse_ref, service_ref
from whence.model.spans import CalledBy, CallerName, Source
from whence.model.times import NS_PER_SECOND
from whence.otlp.references import Warnings, stated_keys
from whence.otlp.resources import is_service_name

ENTITY_STATE = "entity.state"
ENTITY_KEYS = frozenset(
    {"entity.type", "entity.id", "entity.description", "entity.relationships", "entity.report.interval"}
)
_MAX_RELATIONSHIPS = 1_000
_MAX_INTERVAL_S = 3_600
_CALLED_BY = "called_by"
_SHORT_ID = re.compile(r"[0-9a-f]{8}")
_SERVICE_TYPES = frozenset({"service", "service.instance"})
_REF_KEYS = {
    "whence.dataset": "whence.dataset.ref",
    "whence.model": "whence.model.ref",
    "whence.prompt": "whence.prompt.ref",
}


class _Verb(NamedTuple):
    relation: RelationType
    target: EntityKind


_VERBS = {
    "reads": _Verb(RelationType.READS, EntityKind.DATASET),
    "writes": _Verb(RelationType.PRODUCED_BY, EntityKind.DATASET),
    "uses_model": _Verb(RelationType.USES_MODEL, EntityKind.MODEL),
    "uses_prompt": _Verb(RelationType.USES_PROMPT, EntityKind.PROMPT),
    "calls": _Verb(RelationType.CALLS, EntityKind.SERVICE),
}


class DeltaBuilder:
    """Collects what log records state, in one environment each, without counts."""

    def __init__(self, now_ns: int) -> None:
        self.names: list[CallerName] = []
        self.calls: list[CalledBy] = []
        self._now_ns = now_ns
        self._entities: dict[str, Entity] = {}
        self._relations: dict[RelationKey, Relation] = {}

    def delta(self) -> GraphDelta:
        """All of it."""
        return GraphDelta(entities=self._entities, relations=self._relations)

    def relate(self, key: RelationKey, seen: tuple[int, int], active_until_ns: int) -> None:
        """Add a relation that was seen from the first to the second of ``seen``."""
        until_ns = FOREVER_NS if key.type.is_lasting else active_until_ns
        relation = Relation(key, seen[0], seen[1], until_ns, self._now_ns)
        present = self._relations.get(key)
        self._relations[key] = merge_relation(present, relation) if present else relation

    def see(self, key: str, kind: EntityKind, environment: str, seen: tuple[int, int]) -> None:
        """Add a node; for a version also what it is a version of. ``kind`` is that of the latter."""
        base = str(parse_ref(key).base)
        self._add(Entity(base, kind, base, *seen))
        if base != key:
            self._add(Entity(key, VERSION_KINDS[kind], base, *seen))
            self.relate(RelationKey(base, RelationType.HAS_VERSION, key, environment), seen, seen[1])

    def _add(self, entity: Entity) -> None:
        present = self._entities.get(entity.key)
        self._entities[entity.key] = merge_entity(present, entity) if present else entity


def add_entity_state(
    builder: DeltaBuilder, event: Mapping[str, object], source: Source | None, time_ns: int, warnings: Warnings
) -> bool:
    """Add what an event states. False when nothing tells which service it speaks of."""
    if event.get("entity.type") not in _SERVICE_TYPES:
        return True
    near = _service_of(event.get("entity.id"), source)
    if near is None:
        return False
    environment = source.environment if source else ""
    builder.see(near, EntityKind.SERVICE, environment, (time_ns, time_ns))
    own_id = _short_id(event.get("entity.description"))
    if own_id:
        builder.names.append(CallerName(own_id, near))
    interval_ns = _bounded(event.get("entity.report.interval"), _MAX_INTERVAL_S) * NS_PER_SECOND
    report = _Report(near, environment, time_ns, interval_ns)
    for relationship in _relationships(event):
        _add_relationship(builder, report, relationship, warnings)
    return True


class _Report(NamedTuple):
    """What all relationships of one event have in common."""

    near: str
    environment: str
    time_ns: int
    interval_ns: int


def _add_relationship(
    builder: DeltaBuilder, report: _Report, relationship: Mapping[str, object], warnings: Warnings
) -> None:
    name = str(relationship.get("relationship.type") or relationship.get("type"))
    seen = _seen(relationship, report.time_ns)
    until_ns = seen[1] + report.interval_ns
    if name == _CALLED_BY:
        caller_id = _short_id(relationship.get("entity.id"))
        if caller_id:
            builder.calls.append(CalledBy(caller_id, report.near, report.environment, *seen, until_ns))
        return
    verb = _VERBS.get(name)
    far = _target(relationship, verb, warnings) if verb else ""
    if not verb or not far:
        return
    builder.see(far, verb.target, report.environment, seen)
    src, dst = (far, report.near) if verb.relation is RelationType.PRODUCED_BY else (report.near, far)
    builder.relate(RelationKey(src, verb.relation, dst, report.environment), seen, until_ns)


def _short_id(holder: object) -> str:
    """The short id that a map holds; empty where it holds none."""
    stated = holder.get(names.SHORT_ID) if isinstance(holder, Mapping) else None
    return stated if isinstance(stated, str) and _SHORT_ID.fullmatch(stated) else ""


def _service_of(entity_id: object, source: Source | None) -> str | None:
    """The version of the resource when the event speaks of the resource's own service, else the service alone."""
    named = _service_key(entity_id)
    if source is not None and named in (None, source.service):
        return source.version
    return named


def _service_key(entity_id: object) -> str | None:
    if not isinstance(entity_id, Mapping):
        return None
    name = str(entity_id.get(names.SERVICE_NAME) or "")
    return str(service_ref(str(entity_id.get(names.SERVICE_NAMESPACE) or ""), name)) if is_service_name(name) else None


def _target(relationship: Mapping[str, object], verb: _Verb, warnings: Warnings) -> str:
    entity_id = relationship.get("entity.id")
    if verb.target is EntityKind.SERVICE:
        return _service_key(entity_id) or ""
    ref_key = _REF_KEYS.get(str(relationship.get("entity.type")))
    ref = entity_id.get(ref_key) if isinstance(entity_id, Mapping) and ref_key else None
    return next(iter(stated_keys([ref], warnings)), "") if isinstance(ref, str) else ""


def _relationships(event: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    listed = event.get("entity.relationships")
    for item in listed[:_MAX_RELATIONSHIPS] if isinstance(listed, list) else ():
        if isinstance(item, Mapping):
            yield item


def _seen(relationship: Mapping[str, object], time_ns: int) -> tuple[int, int]:
    first_ns = _bounded(relationship.get("whence.first_seen"), time_ns) or time_ns
    last_ns = _bounded(relationship.get("whence.last_seen"), time_ns) or time_ns
    return min(first_ns, last_ns), last_ns


def _bounded(value: object, most: int) -> int:
    number = value if isinstance(value, int) and not isinstance(value, bool) else 0
    return min(max(number, 0), most)
