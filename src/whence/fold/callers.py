"""Who called whom, from what both ends report: the callee the short id of its caller, the caller its own.

Their reports come in any order and from different processes, so a call whose caller is not known yet waits for it. They
come again every minute, so nothing is lost for good when this is forgotten. A call is told as a relation without
counts: how often it happened is counted from spans.
"""

from __future__ import annotations

from collections.abc import Sequence

from whence.model.delta import GraphDelta, Relation, RelationKey, merge_relation
from whence.model.kinds import RelationType
from whence.model.spans import CalledBy, CallerName

MAX_NAMES = 65_536
MAX_WAITING = 4_096


class Callers:
    """Remembers the ids of callers, and the calls whose caller nobody named yet. Bounded: the oldest is forgotten."""

    def __init__(self) -> None:
        self._versions: dict[str, str] = {}
        self._waiting: dict[tuple[str, str, str], CalledBy] = {}

    def hear(self, names: Sequence[CallerName], calls: Sequence[CalledBy], known_ns: int) -> GraphDelta:
        """Take what reports say; gives the calls whose two ends are known now."""
        ready = [*(call for name in names for call in self._learn(name)), *calls]
        relations: dict[RelationKey, Relation] = {}
        for call in ready:
            version = self._versions.get(call.short_id)
            if version is None:
                self._wait(call)
            else:
                _add(relations, version, call, known_ns)
        return GraphDelta(relations=relations)

    def _learn(self, name: CallerName) -> list[CalledBy]:
        """Remember a name; the calls that waited for it."""
        is_known = self._versions.pop(name.short_id, None) is not None
        self._versions[name.short_id] = name.version  # at the end of the order, since it is in use
        if len(self._versions) > MAX_NAMES:
            del self._versions[next(iter(self._versions))]
        waited = [] if is_known else [key for key in self._waiting if key[0] == name.short_id]
        return [self._waiting.pop(key) for key in waited]

    def _wait(self, call: CalledBy) -> None:
        key = call.short_id, call.callee, call.environment
        before = self._waiting.pop(key, call)
        self._waiting[key] = call._replace(first_ns=min(before.first_ns, call.first_ns))
        if len(self._waiting) > MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]


def _add(relations: dict[RelationKey, Relation], caller: str, call: CalledBy, known_ns: int) -> None:
    key = RelationKey(caller, RelationType.CALLS, call.callee, call.environment)
    relation = Relation(key, call.first_ns, call.last_ns, call.active_until_ns, known_ns)
    present = relations.get(key)
    relations[key] = merge_relation(present, relation) if present else relation
