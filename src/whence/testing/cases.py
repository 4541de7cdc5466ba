"""Cases for the ranking, built from facts without a store: the pure way from a delta to an answer.

Traffic comes in buckets of ``BUCKET_S`` from bucket 0 on; ``bucket`` says where one starts. A test names the services,
which versions requests met, and how many of them went bad.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from whence.model.delta import ALL_REQUESTS, GraphDelta, Relation
from whence.model.graph import EdgeRow, ExposureRow, OperationRow, Subgraph
from whence.model.incident import Incident, Symptom
from whence.model.kinds import EntityKind, RelationType, Signal
from whence.model.rows import EdgeRows, ExposureRows, OperationRows
from whence.model.sketch import bucket_index, encode
from whence.model.times import NS_PER_SECOND
from whence.rca.case import Case
from whence.rca.topology import names_of
from whence.testing.graphs import START_S, Fact, at, entity, exposure, key, link, operation, relation

BUCKET_S = 15
HISTORY_S = 24 * 3600
_FIRST = -START_S % BUCKET_S


def bucket(number: float) -> float:
    """Seconds after ``START_S`` at which a bucket starts."""
    return _FIRST + number * BUCKET_S


class Met(NamedTuple):
    """Requests that met something in one bucket."""

    requests: int
    bad: int = 0
    """Failed."""
    milliseconds: float = 1.0
    poor: int = 0


def traffic(service: str, buckets: Iterable[int], met: Mapping[str, Met]) -> list[Fact]:
    """Requests into a service in each bucket; every request met exactly one of the given nodes."""
    facts: list[Fact] = []
    for number in buckets:
        rows = dict(met)
        rows[ALL_REQUESTS] = Met(
            sum(one.requests for one in met.values()),
            sum(one.bad for one in met.values()),
            poor=sum(one.poor for one in met.values()),
        )
        for node, one in rows.items():
            latency: dict[int, float] = defaultdict(float)
            for part in met.values() if node == ALL_REQUESTS else (one,):
                latency[bucket_index(round(part.milliseconds * 1000))] += part.requests
            fields = {"requests_sq": float(one.requests), "errors": float(one.bad), "poor": float(one.poor)}
            facts.append(
                exposure(service, node, round(bucket(number)), one.requests, latency=encode(latency), **fields)
            )
    return facts


def work(node: str, buckets: Iterable[int], calls: int = 20, milliseconds: float = 1.0, **more: float) -> list[Fact]:
    """What a service did by itself in each bucket; ``more`` sets other counts (``error_logs``)."""
    own = encode({bucket_index(round(milliseconds * 1000)): float(calls)})
    return [operation(node, round(bucket(one)), calls, calls=float(calls), self_time=own, **more) for one in buckets]


def versioned(caller: str, base: str, seen: Mapping[str, int], until: int, **more: object) -> list[Fact]:
    """An entity that another one depends on, in versions that were each first seen at a bucket.

    ``more``: ``kind`` of the entity (a service) and ``type_`` of the dependency (calls).
    """
    kind = more.get("kind", EntityKind.SERVICE)
    type_ = more.get("type_", RelationType.CALLS)
    assert isinstance(kind, EntityKind)
    assert isinstance(type_, RelationType)
    facts: list[Fact] = [entity(base, kind)]
    for version, first in seen.items():
        facts += [
            entity(version, EntityKind(f"{kind.value}_version"), base=base),
            relation(link(base, version, RelationType.HAS_VERSION), bucket(first), bucket(until)),
            relation(link(caller, version, type_), bucket(first), bucket(until)),
        ]
    return facts


def incident(service: str, detected: float, signal: Signal | None = None) -> Incident:
    """An incident of a service that was noticed at the start of a bucket."""
    return Incident(Symptom(service, signal=signal), detected_ns=at(bucket(detected)))


def rollout(started: int = 40, total: int = 80, *, new_bad: int = 6, old_bad: int = 0) -> list[Fact]:
    """``shop`` calls ``ranker``; from a bucket on half of the requests meet its version v2, and some of them fail."""
    shop, old, new = key("shop"), key("ranker", "v1"), key("ranker", "v2")
    facts: list[Fact] = [entity(shop), *versioned(shop, key("ranker"), {old: -4000, new: started}, total)]
    facts += traffic(shop, range(started), {old: Met(40, old_bad)})
    facts += traffic(shop, range(started, total), {old: Met(20, old_bad), new: Met(20, new_bad)})
    return facts


def case_of(facts: GraphDelta, question: Incident, *, as_of_ns: int | None = None, bucket_s: int = BUCKET_S) -> Case:
    """The case that a store holding just these facts would give, all of them within the windows."""
    subgraph = closure_of(facts, question.symptom.entity)
    bases = {entity.base for entity in subgraph.entities.values()}
    subjects = bases | set(names_of(bases))
    return Case(
        incident=question,
        as_of_ns=question.detected_ns if as_of_ns is None else as_of_ns,
        history_from_ns=question.detected_ns - HISTORY_S * NS_PER_SECOND,
        subgraph=subgraph,
        changes=tuple(change for change in facts.changes.values() if change.subject in subjects),
        versions=tuple(
            relation
            for relation in facts.relations.values()
            if relation.key.type is RelationType.HAS_VERSION and relation.key.src in bases
        ),
        exposures=ExposureRows.of(
            ExposureRow(key.service, key.operation, key.node, key.start_s, *counts[1:])
            for key, counts in facts.exposures.items()
            if key.service == question.symptom.entity
        ),
        operations=OperationRows.of(
            OperationRow(key.node, key.operation, key.start_s, *counts[1:])
            for key, counts in facts.operations.items()
            if key.node in subgraph.entities
        ),
        edges=EdgeRows.of(
            EdgeRow(key.relation, key.start_s, *counts[1:])
            for key, counts in facts.edges.items()
            if {key.relation.src, key.relation.dst} <= subgraph.entities.keys()
        ),
        profiles=tuple(profile for profile in facts.profiles.values() if profile.dataset in bases),
        bucket_s=bucket_s,
    )


def closure_of(facts: GraphDelta, root: str) -> Subgraph:
    """Everything that the root depends on, breadth first and without bounds."""
    outgoing: dict[str, list[Relation]] = defaultdict(list)
    for one in facts.relations.values():
        outgoing[one.key.src].append(one)
    depth = {root: 0}
    queue = deque([root])
    kept: list[Relation] = []
    while queue:
        node = queue.popleft()
        for one in outgoing[node]:
            kept.append(one)
            if one.key.dst not in depth:
                depth[one.key.dst] = depth[node] + 1
                queue.append(one.key.dst)
    return Subgraph(
        roots=(root,),
        entities={key: facts.entities[key] for key in depth if key in facts.entities},
        relations=tuple(sorted(kept, key=lambda one: one.key)),
        depth=depth,
    )
