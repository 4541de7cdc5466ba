"""The closure seen from the symptom: how to get to each entity, and in whose telemetry a change of it would show.

Paths are searched between entities, not versions: a version and its entity are one place. Whether a *certain version*
was consumed, and since when, is asked of the relations between versions.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from whence.errors import InvalidReference
from whence.model.delta import Relation, RelationKey
from whence.model.graph import Subgraph
from whence.model.kinds import EntityKind, Layer, RelationType
from whence.model.refs import parse_ref

STRENGTH = {
    RelationType.CALLS: 0.9,
    RelationType.USES_MODEL: 0.9,
    RelationType.USES_PROMPT: 0.9,
    RelationType.EVALUATES: 0.9,
    RelationType.READS: 0.8,
    RelationType.CONSUMES: 0.5,
    RelationType.PRODUCED_BY: 0.6,
    RelationType.TRAINED_ON: 0.6,
    RelationType.DERIVED_FROM: 0.6,
}
"""How surely a fault crosses a relation of each type."""
INFERRED_STRENGTH = 0.25
_COST = {type_: -math.log(strength) for type_, strength in STRENGTH.items()}
_INFERRED_COST = -math.log(INFERRED_STRENGTH)
"""Costs of the steps of a path add up where strengths multiply."""
SERVING = frozenset({EntityKind.SERVICE, EntityKind.SERVICE_VERSION, EntityKind.EXTERNAL})
"""Kinds that answer requests."""


def base_key(key: str) -> str:
    """Key of the entity that a key is a version of; the key itself when it is no version or doesn't parse."""
    try:
        return str(parse_ref(key).base)
    except InvalidReference:
        return key


@dataclass(frozen=True, slots=True)
class Reach:
    """Best way from the symptom to one entity."""

    strength: float
    """Product of relation strengths; 1 for the symptom itself."""
    path: tuple[str, ...]
    """Entity keys, the symptom first."""


class Topology:
    """Questions about one closure. Cost of building: O(E log V)."""

    def __init__(self, subgraph: Subgraph, symptom: str) -> None:
        self.symptom = base_key(symptom)
        self._bases = _Bases({key: entity.base for key, entity in subgraph.entities.items()})
        self._incoming: dict[str, list[Relation]] = defaultdict(list)
        self._called: dict[str, set[str]] = defaultdict(set)
        consumed: dict[str, set[str]] = defaultdict(set)
        costs: dict[str, dict[str, float]] = defaultdict(dict)
        for relation in subgraph.relations:
            key = relation.key
            if key.type is RelationType.HAS_VERSION:
                continue
            self._incoming[key.dst].append(relation)
            src, dst = self._bases[key.src], self._bases[key.dst]
            if src == dst:
                continue
            cost, known = _cost(key), costs[src]
            if cost < known.get(dst, math.inf):
                known[dst] = cost
            if key.type is RelationType.CALLS:
                self._called[src].add(dst)
            elif key.type is RelationType.CONSUMES:
                consumed[src].add(dst)
        self._dependents = _turned(costs)
        self.reach = _best_paths(self.symptom, costs)
        self._services = frozenset(one.base for one in subgraph.entities.values() if one.kind in SERVING)
        self._external = frozenset(one.base for one in subgraph.entities.values() if one.kind is EntityKind.EXTERNAL)
        self._serving = self._services & _reached(self.symptom, self._called, consumed) or self._services
        self.within_requests = frozenset(_reached(self.symptom, self._called))
        """Services that requests of the symptom can get to while they wait, the symptom included."""
        self._sorted = tuple(sorted(self.reach))

    def base(self, key: str) -> str:
        """Entity that a node belongs to."""
        return self._bases[key]

    def bases(self) -> tuple[str, ...]:
        """Every entity that can be reached, sorted."""
        return self._sorted

    def consumers(self, version: str) -> tuple[Relation, ...]:
        """Relations of the closure that point at one version."""
        return tuple(self._incoming.get(version, ()))

    def carriers(self, base: str) -> tuple[str, ...]:
        """The services in whose telemetry a change of ``base`` shows: itself, or the nearest that depend on it.

        Only services that requests of the symptom get to; a training job that read a dataset is no such service.
        """
        seen, frontier = {base}, [base]
        while frontier:
            serving = sorted(key for key in frontier if key in self._serving)
            if serving:
                return tuple(serving)
            frontier = sorted({one for key in frontier for one in self._dependents.get(key, ())} - seen)
            seen.update(frontier)
        return ()

    def callers(self, base: str) -> tuple[str, ...]:
        """Services that call this one while the symptom's requests wait: what it hands out, they work with."""
        callers = (one for one in self._dependents.get(base, ()) if base in self._called.get(one, ()))
        return tuple(sorted(one for one in callers if one in self.within_requests))

    def outside(self, base: str) -> tuple[str, ...]:
        """Hosts that a service calls and that tell nothing of themselves."""
        return tuple(sorted(self._called.get(base, set()) & self._external))

    def consumed_since(self, version: str) -> int | None:
        """First instant at which a serving node depended on a version, however indirectly; None when none does."""
        best: dict[str, int] = {version: 0}
        heap = [(0, version)]
        while heap:
            since, node = heapq.heappop(heap)
            if since > best[node]:
                continue
            if node != version and self.base(node) in self._serving:
                return since
            for relation in self._incoming.get(node, ()):
                later = max(since, relation.first_seen_ns)
                if later < best.get(relation.key.src, _NEVER):
                    best[relation.key.src] = later
                    heapq.heappush(heap, (later, relation.key.src))
        return None

    def is_served_untold(self, base: str, since_ns: int) -> bool:
        """Whether a serving node depends on an entity without saying on which version, at an instant or later.

        Then no telemetry tells who met which version, and when: the latest is met as soon as it is there.
        """
        return base not in self._services and any(
            one.last_seen_ns >= since_ns and self.base(one.key.src) in self._serving
            for one in self._incoming.get(base, ())
        )

    def touched_through(self, version: str) -> frozenset[str]:
        """The version and every version that depends on it without a service in between: what a request touches."""
        seen, frontier = {version}, [version]
        while frontier:
            node = frontier.pop()
            for relation in self._incoming.get(node, ()):
                src = relation.key.src
                if src not in seen and self.base(src) not in self._services:
                    seen.add(src)
                    frontier.append(src)
        return frozenset(seen)


_NEVER = 2**63


class _Bases(dict[str, str]):
    """Entity of each node; what the closure does not hold is told by its key."""

    def __missing__(self, key: str) -> str:
        base = self[key] = base_key(key)
        return base


def _cost(key: RelationKey) -> float:
    return _INFERRED_COST if key.layer is Layer.INFERRED else _COST[key.type]


def _best_paths(root: str, costs: dict[str, dict[str, float]]) -> dict[str, Reach]:
    """The way of least cost to each entity; of equal ways the shortest, then the first by keys."""
    done: dict[str, Reach] = {}
    least = {root: 0.0}
    heap: list[tuple[float, int, tuple[str, ...]]] = [(0.0, 0, (root,))]
    while heap:
        cost, hops, path = heapq.heappop(heap)
        node = path[-1]
        if node in done:
            continue
        done[node] = Reach(math.exp(-cost), path)
        for following, step in costs.get(node, {}).items():
            total = cost + step
            if following not in done and total <= least.get(following, math.inf):
                least[following] = total
                heapq.heappush(heap, (total, hops + 1, (*path, following)))
    return done


def _turned(costs: dict[str, dict[str, float]]) -> dict[str, list[str]]:
    """Where each step comes from, by where it leads."""
    found: dict[str, list[str]] = defaultdict(list)
    for src, steps in costs.items():
        for dst in steps:
            found[dst].append(src)
    return found


def _reached(root: str, *ways: dict[str, set[str]]) -> set[str]:
    """Everything that some sorts of step lead to, the root included."""
    seen, frontier = {root}, [root]
    while frontier:
        node = frontier.pop()
        for way in ways:
            following = way.get(node, set()) - seen
            seen |= following
            frontier += following
    return seen


def version_text(key: str) -> str:
    """Version part of a version key; the key itself when it has none."""
    try:
        return parse_ref(key).version or key
    except InvalidReference:
        return key


def names_of(keys: Iterable[str]) -> dict[str, list[str]]:
    """Entity keys by their bare name, the part after ``#``."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        found[key.partition("#")[2] or key].append(key)
    return found
