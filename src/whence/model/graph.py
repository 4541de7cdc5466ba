"""What a store gives back: a bounded piece of the graph, and rows of counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from whence.model.delta import Entity, Relation, RelationKey
from whence.model.kinds import Layer, RelationType


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A closure around some roots.

    ``truncated`` says that a bound cut it off, nearest first: what is absent may exist. Nodes at the frontier are in
    ``entities`` though their own relations were not followed.
    """

    roots: tuple[str, ...]
    entities: Mapping[str, Entity] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    """Sorted by key."""
    depth: Mapping[str, int] = field(default_factory=dict)
    """Hops from the nearest root, for every entity."""
    truncated: bool = False


class Dependency(NamedTuple):
    """What an entity needs of another, all versions of both taken together; ``HAS_VERSION`` joins one to itself."""

    src: str
    type: RelationType
    dst: str
    environment: str
    layer: Layer
    first_seen_ns: int
    last_seen_ns: int


class EdgeRow(NamedTuple):
    """Counts of one relation in one bucket, one writer's share; see ``EdgeCounts`` for meanings and units."""

    relation: RelationKey
    start_s: int
    calls: float
    errors: float
    origin_errors: float
    latency: bytes
    gap: bytes


class OperationRow(NamedTuple):
    """What a node did by itself in one bucket, one writer's share; see ``OperationCounts``."""

    node: str
    operation: str
    start_s: int
    calls: float
    errors: float
    origin_errors: float
    error_logs: float
    poor: float
    self_time: bytes


class ExposureRow(NamedTuple):
    """Requests into an entry that touched a version, in one bucket, one writer's share; see ``ExposureCounts``."""

    service: str
    operation: str
    node: str
    start_s: int
    requests: float
    requests_sq: float
    errors: float
    poor: float
    latency: bytes
