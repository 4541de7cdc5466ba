"""Declared against observed, read from the store: all findings of a window, without counts and owners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from whence.api.resolve import with_versions
from whence.api.window import Window
from whence.declare.coverage import Coverage, Shares
from whence.declare.declared import RUNTIME, Declared, Pair, Statement
from whence.declare.difference import Finding, differences, pinned, unexpected
from whence.declare.statements import Source
from whence.model.kinds import Layer, RelationType
from whence.model.times import NS_PER_SECOND
from whence.store.protocol import BucketQuery, ClosureQuery, DependencyQuery, GraphReader

MAX_USES = 2_000
"""Versions of one dependency that are compared with those expected, at most."""

_COMPARED = RUNTIME | {RelationType.HAS_VERSION}


class Differences(NamedTuple):
    """Findings, sorted, and what they rest on."""

    findings: tuple[Finding, ...]
    declared: Declared
    coverage: Shares


class Volume(NamedTuple):
    """Calls over a dependency in a window; what is not counted (a declared one, a run of a job) has none."""

    calls: float
    errors: float


async def read_differences(reader: GraphReader, window: Window, sources: Sequence[Source]) -> Differences:
    """Compare what was observed in a window with what sources declare. Cost: a scan of all relations."""
    query = DependencyQuery(
        window.from_ns,
        window.to_ns,
        window.environment,
        types=_COMPARED,
        layers=frozenset({Layer.OBSERVED, Layer.DECLARED}),
        known_ns=window.known_ns,
    )
    observed = await reader.dependencies(query)
    declared = Declared(sources, sorted({end for one in observed for end in (one.src, one.dst)}))
    found = [*differences(observed, declared, window.environment)]
    for pair, statements in sorted(pinned(declared, window.environment).items()):
        found += await _unexpected(reader, window, pair, statements)
    return Differences(tuple(sorted(found)), declared, Coverage(observed).shares())


async def read_volume(reader: GraphReader, window: Window, dependent: str, dependency: str) -> Volume:
    """Calls from any version of one entity to any version of another."""
    ends = [*await _versions(reader, dependent), *await _versions(reader, dependency)]
    rows = await reader.edge_rows(
        BucketQuery(
            tuple(ends),
            window.from_ns // NS_PER_SECOND,
            -(-window.to_ns // NS_PER_SECOND),
            window.environment,
            window.known_ns,
        )
    )
    there = [one for one in rows if _goes(one.relation.src, dependent) and _goes(one.relation.dst, dependency)]
    return Volume(sum(one.calls for one in there), sum(one.errors for one in there))


async def _unexpected(
    reader: GraphReader, window: Window, pair: Pair, statements: tuple[Statement, ...]
) -> list[Finding]:
    dependent, dependency = pair
    query = ClosureQuery(
        roots=tuple(await _versions(reader, dependent)),
        from_ns=window.from_ns,
        to_ns=window.to_ns,
        environment=window.environment,
        types=RUNTIME,
        layers=frozenset({Layer.OBSERVED}),
        max_hops=1,
        max_nodes=MAX_USES,
        known_ns=window.known_ns,
    )
    used = (await reader.upstream(query)).relations
    versions = [one for one in used if _goes(one.key.dst, dependency) and one.key.dst != dependency]
    return unexpected(pair, statements, versions)


async def _versions(reader: GraphReader, key: str) -> tuple[str, ...]:
    entity = await reader.entity(key)
    return (key,) if entity is None else await with_versions(reader, entity)


def _goes(key: str, entity: str) -> bool:
    """Whether a key is of an entity or of one of its versions."""
    return key == entity or key.startswith(f"{entity}@")
