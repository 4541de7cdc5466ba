"""Facts of all figures, read from the store in a bounded number of reads."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from whence.api.feedback import Judgement, feedback_kind
from whence.api.investigations import KIND as INVESTIGATION
from whence.api.timeline import read_timeline
from whence.api.traffic import counted_from_ns
from whence.api.window import Window
from whence.kpis.facts import Use, code_facts, data_facts, model_facts
from whence.kpis.figures import Fact, Span
from whence.model.delta import Entity, RelationKey
from whence.model.kinds import EntityKind, Layer, RelationType
from whence.model.sketch import add, decode, quantile
from whence.model.times import NS_PER_SECOND
from whence.store.protocol import MAX_PAGE, BucketQuery, ClosureQuery, GraphReader, SearchQuery

MOST_ENTITIES = 500
"""Of models and of datasets each; beyond, figures are of a part and say so."""
MOST_USERS = 2_000
_LIKELY = 0.6
"""Probability from which a suspect counts as the failure of a release; the band 'likely' begins there."""
_UNCOUNTED = (0.0, 0.0, None)
_USES = frozenset({RelationType.USES_MODEL, RelationType.READS, RelationType.CONSUMES})


class Facts(NamedTuple):
    """All facts of a window and of the one before; ``truncated``: bounds cut some off."""

    facts: tuple[Fact, ...]
    truncated: bool


async def read_facts(reader: GraphReader, window: Window) -> Facts:
    """Facts of every metric."""
    both = window._replace(from_ns=Span(window.from_ns, window.to_ns).before.from_ns)
    timeline = await read_timeline(reader, both)
    services = sorted({one.subject for one in timeline.changes})
    versions = await reader.versions(services, window.environment, window.known_ns)
    failed = await _failed(reader)
    found = [*code_facts(timeline.changes, versions, failed)]
    models, cut_models = await _with_versions(reader, EntityKind.MODEL, EntityKind.MODEL_VERSION, window)
    data, cut_data = await _with_versions(reader, EntityKind.DATASET, EntityKind.DATASET_VERSION, window)
    snapshots = [one for one in data if one.is_version]
    of_models, of_data, trained, produced = await asyncio.gather(
        _uses(reader, models, window),
        _uses(reader, data, window),
        _above(reader, models, both, RelationType.TRAINED_ON),
        _above(reader, snapshots, both, RelationType.PRODUCED_BY),
    )
    versions_of_models = {one.key for one in models if one.is_version}
    uses = [one for one in of_models if one.relation.key.dst in versions_of_models]
    born = {one.key: one.first_seen_ns for one in (*models, *data)}
    found += model_facts(uses, born, trained, window.to_ns)
    found += data_facts(snapshots, produced.keys(), of_data, window.to_ns)
    return Facts(tuple(found), timeline.truncated or cut_models or cut_data)


async def _failed(reader: GraphReader) -> frozenset[str]:
    """Changes that recent answers find likely. What people said of an answer outweighs the answer."""
    found: set[str] = set()
    for document in (await reader.documents(INVESTIGATION, MAX_PAGE, None)).items:
        answer = json.loads(document.body)
        likely = {one["change"]["id"] for one in answer["suspects"] if one["probability"] >= _LIKELY}
        said = [
            json.loads(one.body) for one in (await reader.documents(feedback_kind(document.id), MAX_PAGE, None)).items
        ]
        confirmed = {one["change_id"] for one in said if one["verdict"] == Judgement.CONFIRMED.value}
        rejected = {one["change_id"] for one in said if one["verdict"] == Judgement.REJECTED.value}
        found |= (likely - rejected) | confirmed
    return frozenset(found)


async def _with_versions(
    reader: GraphReader, kind: EntityKind, version_kind: EntityKind, window: Window
) -> tuple[list[Entity], bool]:
    """Entities of a kind and their versions, as far as they were seen by the end of the window."""
    found: list[Entity] = []
    cursor: str | None = None
    while len(found) < 2 * MOST_ENTITIES:
        page = await reader.search(SearchQuery(kinds=frozenset({kind, version_kind}), limit=MAX_PAGE, cursor=cursor))
        found += [one for one in page.items if one.first_seen_ns < window.to_ns]
        cursor = page.cursor
        if cursor is None:
            return found, False
    return found, True


async def _uses(reader: GraphReader, used: Sequence[Entity], window: Window) -> list[Use]:
    """Who uses some entities and versions, with calls and latency; of data, only what was counted."""
    near = await reader.downstream(_one_hop(used, window, _USES))
    nodes = [*near.entities]
    query = BucketQuery(
        tuple(nodes),
        counted_from_ns(window) // NS_PER_SECOND,
        -(-window.to_ns // NS_PER_SECOND),
        window.environment,
        window.known_ns,
    )
    calls: dict[RelationKey, list[float]] = defaultdict(lambda: [0.0, 0.0])
    latencies: dict[RelationKey, dict[int, float]] = defaultdict(dict)
    for row in await reader.edge_rows(query) if nodes else ():
        calls[row.relation][0] += row.calls
        calls[row.relation][1] += row.errors
        add(latencies[row.relation], decode(row.latency).items())
    counted = {key: _use_of(counts, latencies[key]) for key, counts in calls.items()}
    uses = (one for one in near.relations if one.key in counted or one.key.type is RelationType.USES_MODEL)
    return [Use(one, *counted.get(one.key, _UNCOUNTED)) for one in uses]


def _use_of(calls_and_errors: Sequence[float], latency: dict[int, float]) -> tuple[float, float, float | None]:
    calls, errors = calls_and_errors
    median = quantile(latency, 0.5)
    return calls, errors, None if median is None else median / 1_000


async def _above(
    reader: GraphReader, entities: Sequence[Entity], window: Window, type_: RelationType
) -> dict[str, list[str]]:
    """What entities depend on by one type of relation."""
    above = await reader.upstream(_one_hop(entities, window, frozenset({type_})))
    found: dict[str, list[str]] = defaultdict(list)
    for one in above.relations:
        found[one.key.src].append(one.key.dst)
    return found


def _one_hop(roots: Sequence[Entity], window: Window, types: frozenset[RelationType]) -> ClosureQuery:
    return ClosureQuery(
        roots=tuple(one.key for one in roots),
        from_ns=window.from_ns,
        to_ns=window.to_ns,
        environment=window.environment,
        types=types,
        layers=frozenset({Layer.OBSERVED}),
        max_hops=1,
        max_nodes=len(roots) + MOST_USERS,
        known_ns=window.known_ns,
    )
