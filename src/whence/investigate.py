"""The one join of a store and the ranking: bounded reads, one case, one answer. Used by API, CLI and tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from whence.errors import EntityNotFound
from whence.model.answer import Answer, Onset
from whence.model.change import Change
from whence.model.delta import Relation
from whence.model.graph import Subgraph
from whence.model.incident import Incident, Symptom
from whence.model.kinds import EntityKind
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import arrivals
from whence.rca.case import Case
from whence.rca.onset import observe
from whence.rca.rank import rank
from whence.rca.requests import Requests
from whence.rca.topology import SERVING, Topology, base_key
from whence.rca.weights import DEFAULT_WEIGHTS, RankWeights
from whence.store.protocol import BucketQuery, ChangeQuery, ClosureQuery, ExposureQuery, GraphReader

NEAREST = 5
_HOUR_NS = 3600 * NS_PER_SECOND
_MINUTE_NS = 60 * NS_PER_SECOND
_PROFILED = frozenset({EntityKind.DATASET, EntityKind.DATASET_VERSION})


@dataclass(frozen=True, slots=True)
class InvestigateOptions:
    """How far the reads go."""

    history_ns: int = 24 * _HOUR_NS
    """Before the detection: relations, changes and new versions."""
    requests_before_ns: int = 30 * _MINUTE_NS
    """Before the detection: counts of requests into the symptom's service."""
    behaviour_before_ns: int = 10 * _MINUTE_NS
    """Before the onset: counts of what every node did, of which there are many more."""
    behaviour_after_ns: int = 5 * _MINUTE_NS
    """After detection and onset: the same."""
    telemetry_after_ns: int = 15 * _MINUTE_NS
    """After the detection, at most: an incident that was handled long ago shouldn't be averaged away."""
    max_hops: int = 8
    max_nodes: int = 2_000
    max_changes: int = 1_000
    max_counted_nodes: int = 80
    """Nodes whose own counts are read: services first, of them those that changed, then the nearest to the symptom."""
    profiles_per_dataset: int = 21
    weights: RankWeights = field(default_factory=lambda: DEFAULT_WEIGHTS)


DEFAULT_OPTIONS = InvestigateOptions()


async def investigate(
    reader: GraphReader,
    incident: Incident,
    *,
    now_ns: int,
    bucket_s: int = 15,
    options: InvestigateOptions = DEFAULT_OPTIONS,
) -> Answer:
    """Find out what changed upstream of a symptom and how likely each change caused it.

    Args:
        reader: Where the graph is.
        incident: The question; ``symptom.entity`` is an entity's key.
        now_ns: The present; only what was true by then, or by ``incident.as_of_ns``, is used.
        bucket_s: Width of the store's buckets.
        options: Bounds of the reads.

    Raises:
        EntityNotFound: No such entity; the error carries the nearest names.

    Cost: a fixed number of reads (nine, and one for each further page of changes), in four steps one after the other
    and those of one step at once; then the ranking.
    """
    case = await read_case(reader, incident, now_ns=now_ns, bucket_s=bucket_s, options=options)
    return await answer_to(reader, case, options)


async def answer_to(reader: GraphReader, case: Case, options: InvestigateOptions = DEFAULT_OPTIONS) -> Answer:
    """The answer to a case that was read, with who owns what was changed."""
    answer = rank(case, options.weights)
    changed = [base_key(one.path[-1]) for one in answer.suspects]
    known = {one.key: one for one in await reader.entities(sorted(set(changed)))}
    suspects = (
        replace(suspect, owner=known[key].attribute("owner")) if key in known else suspect
        for suspect, key in zip(answer.suspects, changed, strict=True)
    )
    return replace(answer, suspects=tuple(suspects))


async def read_case(
    reader: GraphReader,
    incident: Incident,
    *,
    now_ns: int,
    bucket_s: int,
    options: InvestigateOptions = DEFAULT_OPTIONS,
) -> Case:
    """Everything that the ranking may see of an incident; arguments and errors as for ``investigate``."""
    as_of = min(now_ns, incident.as_of_ns) if incident.as_of_ns is not None else now_ns
    await _require(reader, incident.symptom.entity)
    history_from = incident.detected_ns - options.history_ns
    until = min(as_of, incident.detected_ns + options.telemetry_after_ns)
    (subgraph, changes, versions, truncated), exposures = await asyncio.gather(
        _read_graph(reader, incident, history_from, until, options),
        reader.exposure_rows(_requests_asked(incident, until, options)),
    )
    buckets = replace(
        _behaviour_asked(incident, observe(Requests(exposures, bucket_s), incident).onset, until, options),
        nodes=_counted(subgraph, changes, versions, history_from, options.max_counted_nodes),
        latency=not len(exposures),
    )
    operations, edges, profiles = await asyncio.gather(
        reader.operation_rows(buckets),
        reader.edge_rows(buckets),
        reader.profiles(_datasets(subgraph), until, options.profiles_per_dataset),
    )
    return Case(
        incident=incident,
        as_of_ns=until,
        history_from_ns=history_from,
        subgraph=subgraph,
        changes=changes,
        versions=versions,
        exposures=exposures,
        operations=operations,
        edges=edges,
        profiles=tuple(profiles),
        bucket_s=bucket_s,
        truncated=truncated,
    )


async def _require(reader: GraphReader, entity: str) -> None:
    """Raise ``EntityNotFound``, with the nearest names, unless there is such an entity."""
    if await reader.entity(entity) is None:
        raise EntityNotFound(entity, await reader.nearest(entity, NEAREST))


def _datasets(subgraph: Subgraph) -> tuple[str, ...]:
    return tuple(sorted({one.base for one in subgraph.entities.values() if one.kind in _PROFILED}))


def _requests_asked(incident: Incident, until_ns: int, options: InvestigateOptions) -> ExposureQuery:
    return ExposureQuery(
        service=incident.symptom.entity,
        from_s=(incident.detected_ns - options.requests_before_ns) // NS_PER_SECOND,
        to_s=until_ns // NS_PER_SECOND,
        operation=incident.symptom.operation,
        environment=incident.environment,
        known_ns=incident.known_ns,
    )


def _behaviour_asked(incident: Incident, onset: Onset, until_ns: int, options: InvestigateOptions) -> BucketQuery:
    """Around the onset, whenever it was noticed: there is what can be told of before and after.

    No further back than requests are asked for, because what the symptom did is measured against them.
    """
    from_ns = max(onset.low_ns - options.behaviour_before_ns, incident.detected_ns - options.requests_before_ns)
    return BucketQuery(
        nodes=(),
        from_s=from_ns // NS_PER_SECOND,
        to_s=min(until_ns, max(onset.high_ns, incident.detected_ns) + options.behaviour_after_ns) // NS_PER_SECOND,
        environment=incident.environment,
        known_ns=incident.known_ns,
    )


def _counted(
    subgraph: Subgraph, changes: Sequence[Change], versions: Sequence[Relation], history_from_ns: int, most: int
) -> tuple[str, ...]:
    """Nodes whose own counts are worth reading: what serves requests first; of it what changed, then the nearest."""
    entities = subgraph.entities
    subjects = {one.subject for one in changes} | {one.subject.rpartition("#")[2] for one in changes}
    fresh = {one.key.src for one in versions if one.first_seen_ns >= history_from_ns}
    changed = {key for key, one in entities.items() if one.base in fresh or _goes_by(one.base, subjects)}
    beside = {one.key.src for one in subgraph.relations if one.key.dst in changed}

    def place(key: str) -> tuple[bool, bool, int, str]:
        is_far = key not in changed and key not in beside
        return (entities[key].kind not in SERVING, is_far, subgraph.depth[key], key)

    return tuple(sorted(entities, key=place)[:most])


def _goes_by(base: str, subjects: set[str]) -> bool:
    return base in subjects or base.partition("#")[2] in subjects


async def upstream_changes(
    reader: GraphReader,
    entity: str,
    from_ns: int,
    to_ns: int,
    *,
    environment: str | None = None,
    known_ns: int | None = None,
    options: InvestigateOptions = DEFAULT_OPTIONS,
) -> tuple[Subgraph, tuple[Change, ...]]:
    """What an entity depended on in ``[from_ns, to_ns)``, and every change of it, recorded or inferred.

    Changes come latest first (ties by id); versions that no recorded change announced count as changes.

    Raises:
        EntityNotFound: No such entity; the error carries the nearest names.
    """
    await _require(reader, entity)
    incident = Incident(Symptom(entity), detected_ns=to_ns, environment=environment, known_ns=known_ns)
    subgraph, recorded, versions, truncated = await _read_graph(reader, incident, from_ns, to_ns, options)
    case = Case(incident, to_ns, from_ns, subgraph, recorded, versions, truncated=truncated)
    inferred = tuple(change for change, _ in arrivals(case, Topology(subgraph, entity)).silent)
    changes = sorted((*recorded, *inferred), key=lambda one: (-one.effective_ns, one.id))
    return replace(subgraph, truncated=subgraph.truncated or truncated), tuple(changes)


async def _read_graph(
    reader: GraphReader, incident: Incident, from_ns: int, to_ns: int, options: InvestigateOptions
) -> tuple[Subgraph, tuple[Change, ...], tuple[Relation, ...], bool]:
    """Closure, recorded changes on it, and all versions of its entities; and whether changes were cut off."""
    environment, known = incident.environment, incident.known_ns
    subgraph = await reader.upstream(
        ClosureQuery(
            roots=(incident.symptom.entity,),
            from_ns=from_ns,
            to_ns=to_ns,
            environment=environment,
            max_hops=options.max_hops,
            max_nodes=options.max_nodes,
            known_ns=known,
        )
    )
    bases = tuple(sorted({one.base for one in subgraph.entities.values()}))
    query = ChangeQuery(from_ns=from_ns, to_ns=to_ns, subjects=bases, environment=environment, known_ns=known)
    (changes, truncated), versions = await asyncio.gather(
        _all_changes(reader, query, options.max_changes), reader.versions(bases, environment, known)
    )
    return subgraph, changes, tuple(one for one in versions if one.first_seen_ns < to_ns), truncated


async def _all_changes(reader: GraphReader, query: ChangeQuery, most: int) -> tuple[tuple[Change, ...], bool]:
    found: Sequence[Change] = ()
    while True:
        page = await reader.changes(query)
        found = (*found, *page.items)
        if page.cursor is None or len(found) >= most:
            return tuple(found[:most]), page.cursor is not None
        query = replace(query, cursor=page.cursor)
