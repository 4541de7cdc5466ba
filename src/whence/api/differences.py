"""Declared against observed, read from the store: all findings of a window, without counts and owners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from whence.api.resolve import with_versions
from whence.api.traffic import Volume, read_traffic
from whence.api.window import Window
from whence.declare.coverage import Coverage, Shares
from whence.declare.declared import RUNTIME, Declared, Pair, Statement
from whence.declare.difference import Finding, differences, pinned, unexpected
from whence.declare.statements import Source
from whence.model.delta import Example, RelationKey
from whence.model.kinds import Layer, RelationType
from whence.rca.topology import base_key
from whence.store.protocol import ClosureQuery, DependencyQuery, GraphReader

MAX_USES = 2_000
"""Versions of one dependency that are compared with those expected, at most."""
MOST_TRACES = 3
"""Example traces of one finding, at most."""

_COMPARED = RUNTIME | {RelationType.HAS_VERSION}


class Differences(NamedTuple):
    """Findings, sorted, and what they rest on."""

    findings: tuple[Finding, ...]
    declared: Declared
    coverage: Shares


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
    coverage = Coverage(observed)
    found = differences(observed, declared, coverage, window.environment)
    for pair, statements in sorted(pinned(declared, window.environment).items()):
        found += await _unexpected(reader, window, pair, statements)
    return Differences(tuple(sorted(found)), declared, coverage.shares())


Where = tuple[str, str, str]
"""Dependent, dependency, environment."""


class Usage(NamedTuple):
    """How dependencies are used, all versions of both ends together."""

    volumes: Mapping[Where, Volume]
    traces: Mapping[Where, tuple[str, ...]]
    """Ids of up to ``MOST_TRACES`` traces of the window, the latest first."""


async def read_usage(reader: GraphReader, window: Window, findings: Iterable[Finding]) -> Usage:
    """Volumes and example traces of what was seen."""
    ends = {end for one in findings if one.first_seen_ns is not None for end in (one.dependent, one.dependency)}
    nodes = [version for end in sorted(ends) for version in await _versions(reader, end)]
    volumes: dict[Where, Volume] = {}
    for relation, volume in (await read_traffic(reader, nodes, window)).items():
        key = _where(relation)
        volumes[key] = volumes.get(key, Volume()).plus(volume)
    return Usage(volumes, await _traces(reader, window, nodes))


async def _traces(reader: GraphReader, window: Window, nodes: Sequence[str]) -> dict[Where, tuple[str, ...]]:
    found: dict[Where, set[Example]] = defaultdict(set)
    for relation, example in (await reader.examples(nodes)).items():
        if window.from_ns <= example.at_ns < window.to_ns:
            found[_where(relation)].add(example)
    latest = {where: sorted(examples, reverse=True) for where, examples in found.items()}
    return {
        where: tuple(dict.fromkeys(one.trace_id for one in examples))[:MOST_TRACES]
        for where, examples in latest.items()
    }


def _where(relation: RelationKey) -> Where:
    return base_key(relation.src), base_key(relation.dst), relation.environment


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
