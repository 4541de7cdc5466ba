"""What a card shows, read from the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from whence.api.impact import Impact, impacts
from whence.api.resolve import with_versions
from whence.api.snippets import snippet
from whence.api.traffic import counted_from_ns, read_traffic
from whence.api.window import Window
from whence.declare.declared import Declared
from whence.declare.statements import Source, Thing
from whence.model.delta import ALL_REQUESTS, Entity, Relation
from whence.model.kinds import EntityKind
from whence.model.sketch import add, decode, quantile
from whence.model.times import NS_PER_SECOND
from whence.store.protocol import ClosureQuery, ExposureQuery, GraphReader

MOST_OPERATIONS = 20
_CLOSE_HOPS = 2
"""From a version to a version that uses it, and on to that one's entity."""
_MOST_NEIGHBOURS = 1_000


class Usage(NamedTuple):
    """Requests into one operation; ``latency`` is a sketch of microseconds in memory."""

    operation: str
    requests: float
    errors: float
    latency: dict[int, float]

    def milliseconds(self, fraction: float) -> float | None:
        """A quantile of the latency."""
        microseconds = quantile(self.latency, fraction)
        return None if microseconds is None else microseconds / 1_000


@dataclass(frozen=True, slots=True)
class Card:
    """Everything known of one entity that helps to use it."""

    entity: Entity
    things: tuple[Thing, ...]
    owner: str | None
    labels: tuple[str, ...]
    purposes: tuple[str, ...]
    in_use: tuple[Relation, ...]
    """The latest version of each environment."""
    version_times: tuple[int, ...]
    """When each version was first seen, the earliest first; UTC nanoseconds."""
    consumers: tuple[Impact, ...]
    operations: tuple[Usage, ...]
    """The busiest first."""
    columns: tuple[str, ...]
    how_to_use: str

    def said(self, field: str) -> str | None:
        """The first thing that files say, else what telemetry says, of a field."""
        said = next((str(getattr(one, field)) for one in self.things if getattr(one, field)), None)
        return said or self.entity.attribute(field)


async def read_card(reader: GraphReader, sources: Sequence[Source], root: Entity, window: Window) -> Card:
    """Read all of a card; of a version, that of its entity."""
    entity = await reader.entity(root.base) or root
    versions = [
        one
        for one in await reader.versions([entity.key], window.environment, window.known_ns)
        if one.first_seen_ns < window.to_ns
    ]
    consumers, declared = await _consumers(reader, sources, entity, window)
    operations = await _operations(reader, entity, window)
    in_use = _latest(versions)
    return Card(
        entity=entity,
        things=declared.described(entity.key),
        owner=entity.attribute("owner") or declared.owner(entity.key),
        labels=tuple(sorted(declared.labels(entity.key))),
        purposes=tuple(sorted(declared.purposes(entity.key))),
        in_use=in_use,
        version_times=tuple(sorted({one.key.dst: one.first_seen_ns for one in versions}.values())),
        consumers=consumers,
        operations=operations,
        columns=await _columns(reader, entity, window),
        how_to_use=_how_to_use(
            entity,
            in_use[-1].key.dst if in_use else entity.key,
            operations,
            _columns_in_use(declared, entity.key),
        ),
    )


def _how_to_use(entity: Entity, version: str, operations: Sequence[Usage], columns: Sequence[str]) -> str:
    """An example of what consumers do: the busiest operations of a service, code for a model or dataset."""
    if entity.kind in (EntityKind.MODEL, EntityKind.DATASET):
        return snippet(version, entity.kind, columns)
    return "\n".join(one.operation for one in operations[:3])


def _columns_in_use(declared: Declared, key: str) -> list[str]:
    """Columns that consumers say they use."""
    edges = (one.edge for pair, stated in declared.pairs.items() if pair[1] == key for one in stated)
    return sorted({column for edge in edges for column in edge.columns})


async def _consumers(
    reader: GraphReader, sources: Sequence[Source], entity: Entity, window: Window
) -> tuple[tuple[Impact, ...], Declared]:
    query = ClosureQuery(
        roots=await with_versions(reader, entity),
        from_ns=window.from_ns,
        to_ns=window.to_ns,
        environment=window.environment,
        max_hops=_CLOSE_HOPS,
        max_nodes=_MOST_NEIGHBOURS,
        known_ns=window.known_ns,
    )
    near = await reader.downstream(query)
    declared = Declared(sources, sorted({entity.key, *(one.base for one in near.entities.values())}))
    hit = impacts(near, await read_traffic(reader, near.entities, window), declared)
    return tuple(one for one in hit if one.hops == 1), declared


async def _operations(reader: GraphReader, entity: Entity, window: Window) -> tuple[Usage, ...]:
    if entity.kind is not EntityKind.SERVICE:
        return ()
    query = ExposureQuery(
        service=entity.key,
        from_s=counted_from_ns(window) // NS_PER_SECOND,
        to_s=-(-window.to_ns // NS_PER_SECOND),
        nodes=(),
        environment=window.environment,
        known_ns=window.known_ns,
    )
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    latencies: dict[str, dict[int, float]] = defaultdict(dict)
    for row in await reader.exposure_rows(query):
        if row.node == ALL_REQUESTS:
            sums[row.operation][0] += row.requests
            sums[row.operation][1] += row.errors
            add(latencies[row.operation], decode(row.latency).items())
    usages = [Usage(name, requests, errors, latencies[name]) for name, (requests, errors) in sums.items()]
    return tuple(sorted(usages, key=lambda one: (-one.requests, one.operation))[:MOST_OPERATIONS])


async def _columns(reader: GraphReader, entity: Entity, window: Window) -> tuple[str, ...]:
    if entity.kind not in (EntityKind.DATASET, EntityKind.MODEL):
        return ()
    profiles = await reader.profiles([entity.key], window.to_ns, 1)
    return tuple(column.name for profile in profiles for column in profile.columns)


def _latest(versions: Sequence[Relation]) -> tuple[Relation, ...]:
    """The version first seen last in each environment; environments by name, those that name none first."""
    latest: dict[str, Relation] = {}
    for one in versions:
        present = latest.get(one.key.environment, one)
        latest[one.key.environment] = max(present, one, key=lambda each: (each.first_seen_ns, each.key))
    return tuple(latest[environment] for environment in sorted(latest))
