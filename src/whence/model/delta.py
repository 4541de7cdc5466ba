"""``GraphDelta``: the only thing that writes to a store, and ``merge``, which never counts anything twice.

Counts are *absolute* values of one writer's row, not increments. A writer (one spool segment of one process) only
ever adds to its rows, so of two values of one row the one that folded more spans contains the other. ``merge`` keeps
that one, which makes it commutative, associative and idempotent: replaying a delta, or applying two in the wrong
order, changes nothing. A total is a sum over writers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple, TypeVar

from whence.model.change import Change
from whence.model.kinds import KIND_STRENGTH, EntityKind, Layer, RelationType
from whence.model.profile import SnapshotProfile


class Attribute(NamedTuple):
    """One thing known of an entity, and when it was last seen to be so."""

    name: str
    value: str
    seen_ns: int


@dataclass(frozen=True, slots=True)
class Entity:
    """A node. A version node names its entity in ``base``; for an entity ``base`` is its own key."""

    key: str
    kind: EntityKind
    base: str
    first_seen_ns: int
    last_seen_ns: int
    attributes: tuple[Attribute, ...] = ()
    """Sorted, one for each name. What is known of it: owner, url, service.version, ..."""

    @property
    def is_version(self) -> bool:
        """Whether this is one version of an entity."""
        return self.base != self.key

    def attribute(self, name: str) -> str | None:
        """Value of one attribute, or None."""
        return next((item.value for item in self.attributes if item.name == name), None)


class RelationKey(NamedTuple):
    """Identity of a relation; points from dependent to dependency."""

    src: str
    type: RelationType
    dst: str
    environment: str = ""
    layer: Layer = Layer.OBSERVED


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation and when it held. ``known_ns`` is when we first learned of it (the second clock)."""

    key: RelationKey
    first_seen_ns: int
    last_seen_ns: int
    active_until_ns: int
    """Last sighting for runtime relations, ``FOREVER_NS`` for derivations, expiry for declarations."""
    known_ns: int


class Example(NamedTuple):
    """A trace that used a relation; of two the later one stays, ties by id."""

    at_ns: int
    """When its span over the relation ended."""
    trace_id: str
    """32 hexadecimal digits."""


class EdgeKey(NamedTuple):
    """One bucket of one relation, as one writer counted it."""

    relation: RelationKey
    start_s: int
    writer: str


class EdgeCounts(NamedTuple):
    """Calls over a relation in one bucket. ``spans`` is raw, all else is weighted by 1 / sampling probability."""

    spans: int
    calls: float
    errors: float
    origin_errors: float
    """Errors of the dependency that no erring child explains: here is where they start."""
    latency: bytes
    """Sketch of microseconds as the caller saw them (as the callee did where no caller span exists)."""
    gap: bytes
    """Sketch of caller's minus callee's duration, in microseconds: time lost between the two.

    All of the caller's own time where the callee tells nothing.
    """


class OperationKey(NamedTuple):
    """One operation of one version of a service, in one bucket, as one writer counted it."""

    node: str
    operation: str
    environment: str
    start_s: int
    writer: str


class OperationCounts(NamedTuple):
    """What a node did by itself in one bucket. ``spans`` counts spans and logs, raw; the rest is weighted."""

    spans: int
    calls: float
    errors: float
    origin_errors: float
    error_logs: float
    poor: float
    self_time: bytes
    """Sketch of microseconds not spent in child spans. A call to another service has none: see ``EdgeCounts.gap``."""


class ExposureKey(NamedTuple):
    """Requests into one entry operation that touched one version, in one bucket, as one writer counted them."""

    service: str
    """Key of the service entity that was entered."""
    operation: str
    node: str
    """Key of the version (of any pillar) that the request touched at or below the entry; ``""`` counts all requests."""
    environment: str
    start_s: int
    writer: str


class ExposureCounts(NamedTuple):
    """``spans`` is raw; requests, errors and poor are sums of weights, ``requests_sq`` of squared weights."""

    spans: int
    requests: float
    requests_sq: float
    errors: float
    poor: float
    latency: bytes
    """Sketch of the entry's duration in microseconds."""


ALL_REQUESTS = ""
"""``ExposureKey.node`` of the row that counts every request into the entry, whatever it touched."""


@dataclass(frozen=True, slots=True)
class GraphDelta:
    """A set of facts to merge into a store. Empty fields cost nothing."""

    entities: Mapping[str, Entity] = field(default_factory=dict)
    relations: Mapping[RelationKey, Relation] = field(default_factory=dict)
    edges: Mapping[EdgeKey, EdgeCounts] = field(default_factory=dict)
    operations: Mapping[OperationKey, OperationCounts] = field(default_factory=dict)
    exposures: Mapping[ExposureKey, ExposureCounts] = field(default_factory=dict)
    changes: Mapping[str, Change] = field(default_factory=dict)
    profiles: Mapping[str, SnapshotProfile] = field(default_factory=dict)
    examples: Mapping[RelationKey, Example] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows that an upsert of this delta writes."""
        return sum(
            len(part)
            for part in (
                self.entities,
                self.relations,
                self.edges,
                self.operations,
                self.exposures,
                self.changes,
                self.profiles,
                self.examples,
            )
        )


def merge(left: GraphDelta, right: GraphDelta) -> GraphDelta:
    """Both deltas as one. Commutative, associative, idempotent."""
    return GraphDelta(
        entities=_merged(left.entities, right.entities, merge_entity),
        relations=_merged(left.relations, right.relations, merge_relation),
        edges=_merged(left.edges, right.edges, max),
        operations=_merged(left.operations, right.operations, max),
        exposures=_merged(left.exposures, right.exposures, max),
        changes=_merged(left.changes, right.changes, merge_change),
        profiles=_merged(left.profiles, right.profiles, merge_profile),
        examples=_merged(left.examples, right.examples, max),
    )


def merge_all(deltas: Iterable[GraphDelta]) -> GraphDelta:
    """Fold of ``merge``; the empty delta when there are none."""
    total = GraphDelta()
    for delta in deltas:
        total = merge(total, delta)
    return total


def halves(delta: GraphDelta) -> tuple[GraphDelta, GraphDelta]:
    """Two deltas that merge to this one, with every other row each."""
    left: dict[str, dict[object, object]] = {}
    right: dict[str, dict[object, object]] = {}
    is_left = True
    for part in fields(delta):
        rows = getattr(delta, part.name)
        left[part.name], right[part.name] = {}, {}
        for key, row in rows.items():
            (left if is_left else right)[part.name][key] = row
            is_left = not is_left
    return GraphDelta(**left), GraphDelta(**right)  # type: ignore[arg-type]  # each part keeps its own type


def merge_entity(left: Entity, right: Entity) -> Entity:
    """Widest life, surest kind, and each attribute from its later sighting (ties: the greater value)."""
    attributes = {item.name: item for item in left.attributes}
    for item in right.attributes:
        present = attributes.get(item.name, item)
        attributes[item.name] = max(present, item, key=lambda one: (one.seen_ns, one.value))
    return Entity(
        key=left.key,
        kind=max(left.kind, right.kind, key=lambda kind: (KIND_STRENGTH.get(kind, 2), kind)),
        base=min(left.base, right.base),
        first_seen_ns=min(left.first_seen_ns, right.first_seen_ns),
        last_seen_ns=max(left.last_seen_ns, right.last_seen_ns),
        attributes=tuple(sorted(attributes.values())),
    )


def merge_relation(left: Relation, right: Relation) -> Relation:
    """Widest interval, earliest knowledge."""
    return Relation(
        key=left.key,
        first_seen_ns=min(left.first_seen_ns, right.first_seen_ns),
        last_seen_ns=max(left.last_seen_ns, right.last_seen_ns),
        active_until_ns=max(left.active_until_ns, right.active_until_ns),
        known_ns=min(left.known_ns, right.known_ns),
    )


def merge_change(left: Change, right: Change) -> Change:
    """The later report of a change wins; when it was first known is kept."""
    later = max(left, right, key=lambda change: (change.reported_ns, repr(replace(change, known_ns=0))))
    return replace(later, known_ns=min(left.known_ns, right.known_ns))


def merge_profile(left: SnapshotProfile, right: SnapshotProfile) -> SnapshotProfile:
    """The later profile of one snapshot wins."""
    return max(left, right, key=lambda profile: (profile.at_ns, repr(profile)))


K = TypeVar("K")
V = TypeVar("V")


def _merged(left: Mapping[K, V], right: Mapping[K, V], combine: Callable[[V, V], V]) -> Mapping[K, V]:
    if not left or not right:
        return left or right
    merged = dict(left)
    for key, value in right.items():
        present = merged.get(key)
        merged[key] = value if present is None else combine(present, value)
    return merged
