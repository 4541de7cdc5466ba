"""What is told of changes and lineage: change posts, webhooks and OpenLineage events, as unreliable as real ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.simulator.draws import MINUTE_NS, SECOND_NS, Draws
from tests.bench.simulator.rollouts import Rollout
from tests.bench.simulator.spans import ENVIRONMENT, Envelope
from tests.bench.simulator.stage import Stage, Training
from tests.bench.simulator.tables import Contents, Snapshot
from tests.bench.simulator.world import Table
from whence.model.times import format_time

CHANGES, LINEAGE, DELIVERIES = "/api/v1/changes", "/api/v1/lineage", "/api/v1/webhooks/cdevents"
_KINDS = {"prompt": "config"}
_PRODUCER = "https://pipelines.example"
_SPEC = "https://openlineage.io/spec"


@dataclass(frozen=True, slots=True)
class Manners:
    """How reliable the feeds of one case are."""

    lost: float
    """Share of changes that nobody reports."""
    late: float
    clock_off_ns: int
    """Of those who report."""
    reported_when_over: float
    repeated: float
    bare_names: float
    misnamed: float
    """Share of reports whose subject is nothing that anybody knows."""
    lineage_lost: float
    by_webhook: float
    names_environment: bool
    names_previous: bool


def draw_manners(draws: Draws) -> Manners:
    """The manners of one case."""
    return Manners(
        lost=draws.uniform(0.0, 0.25),
        late=draws.choice((0.0, 0.03, 0.1)),
        clock_off_ns=int(draws.uniform(-60, 60) * SECOND_NS) if draws.chance(0.3) else 0,
        reported_when_over=draws.choice((0.0, 0.0, 0.2)),
        repeated=draws.choice((0.0, 0.05, 0.2)),
        bare_names=draws.choice((0.0, 0.0, 0.3)),
        misnamed=draws.choice((0.0, 0.0, 0.05)),
        lineage_lost=draws.choice((0.0, 0.0, 0.04)),
        by_webhook=draws.choice((0.0, 0.0, 0.4)),
        names_environment=draws.chance(0.5),
        names_previous=draws.chance(0.6),
    )


def change_envelopes(stage: Stage, manners: Manners, draws: Draws) -> Iterator[Envelope]:
    """Reports of everything that was rolled out or noted, but for what gets lost."""
    rollouts = [one for mine in stage.rollouts.values() for one in mine if one.kind != "dataset"]
    for one in (*rollouts, *stage.notes):
        if one.change_id in stage.unposted or draws.chance(manners.lost):
            continue
        late_ns = int(draws.log_uniform(2, 200) * MINUTE_NS) if draws.chance(manners.late) else 0
        at_ns = one.start_ns + (one.ramp_ns if draws.chance(manners.reported_when_over) else 0)
        arrival_ns = at_ns + int(draws.log_uniform(0.2, 20) * SECOND_NS) + late_ns
        by_webhook = one.kind == "deployment" and draws.chance(manners.by_webhook)
        told = _delivery(one, at_ns + manners.clock_off_ns) if by_webhook else _post(stage, one, at_ns, manners, draws)
        path = DELIVERIES if by_webhook else CHANGES
        yield Envelope(arrival_ns, path, told)
        if draws.chance(manners.repeated):
            yield Envelope(arrival_ns + int(draws.uniform(1, 90) * SECOND_NS), path, told)


def _post(stage: Stage, one: Rollout, at_ns: int, manners: Manners, draws: Draws) -> Mapping[str, Any]:
    finished_ns = one.start_ns + one.ramp_ns
    subject = one.thing.partition("#")[2] if draws.chance(manners.bare_names) else one.thing
    subject += "-live" if draws.chance(manners.misnamed) else ""
    return {
        "id": one.change_id,
        "kind": _KINDS.get(one.kind, one.kind),
        "subject": subject,
        "from": (one.previous or None) if manners.names_previous else None,
        "to": one.version or None,
        "environment": ENVIRONMENT if manners.names_environment else None,
        "effective_at": format_time(at_ns + manners.clock_off_ns),
        "finished_at": format_time(finished_ns + manners.clock_off_ns) if finished_ns > at_ns else None,
        "actor": draws.choice(("ada", "pipeline", "lin", "scheduler")),
        "summary": None,
    }


def _delivery(one: Rollout, at_ns: int) -> Mapping[str, Any]:
    """A CDEvent of a deployed service."""
    name = one.thing.partition("#")[2]
    return {
        "context": {
            "version": "0.4.1",
            "id": one.change_id,
            "source": "/deployer",
            "type": "dev.cdevents.service.upgraded.0.2.0",
            "timestamp": format_time(at_ns),
        },
        "subject": {
            "id": name,
            "type": "service",
            "content": {"environment": {"id": ENVIRONMENT}, "artifactId": f"pkg:oci/{name}@{one.version}"},
        },
    }


def lineage_envelopes(stage: Stage, manners: Manners, draws: Draws, known: float) -> Iterator[Envelope]:
    """OpenLineage events of every refresh and training; ``known`` is the share of trainings that are told."""
    for table in stage.world.tables.values():
        for snapshot in stage.snapshots[table.name]:
            if draws.chance(manners.lineage_lost):
                continue
            yield _enveloped(_refresh(stage, table, snapshot, draws), snapshot.at_ns, draws)
    for training in stage.trainings:
        if draws.chance(known):
            yield _enveloped(_training(stage, training, draws), training.at_ns, draws)


def _enveloped(event: Mapping[str, Any], at_ns: int, draws: Draws) -> Envelope:
    return Envelope(at_ns + int(draws.log_uniform(0.2, 8) * SECOND_NS), LINEAGE, event)


def _refresh(stage: Stage, table: Table, snapshot: Snapshot, draws: Draws) -> Mapping[str, Any]:
    inputs = [_dataset(stage.world.tables[name].ref, version) for name, version in snapshot.sources.items()]
    output = _dataset(table.ref, snapshot.version)
    output["facets"]["schema"] = _facet("SchemaDatasetFacet", fields=_schema(snapshot.contents))
    if table.has_profile:
        output["outputFacets"] = _profile(snapshot.contents)
    return _run(table.job, snapshot.at_ns, inputs, output, draws)


def _training(stage: Stage, training: Training, draws: Draws) -> Mapping[str, Any]:
    model = stage.world.models[training.model]
    output = _dataset(model.ref, training.version)
    output["facets"]["datasetType"] = _facet("DatasetTypeDatasetFacet", datasetType="MODEL")
    source = _dataset(stage.world.tables[model.trained_on].ref, training.snapshot)
    return _run(model.job, training.at_ns, [source], output, draws)


def _run(job: str, at_ns: int, inputs: list[dict[str, Any]], output: dict[str, Any], draws: Draws) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": format_time(at_ns),
        "producer": _PRODUCER,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": str(uuid.UUID(int=draws.getrandbits(128), version=4)), "facets": {}},
        "job": {"namespace": "pipelines", "name": job, "facets": {}},
        "inputs": inputs,
        "outputs": [output],
    }


def _dataset(ref: str, version: str) -> dict[str, Any]:
    namespace, _, name = ref.partition("#")
    facet = _facet("DatasetVersionDatasetFacet", datasetVersion=version)
    return {"namespace": namespace, "name": name, "facets": {"version": facet}}


def _schema(contents: Contents) -> list[dict[str, str]]:
    return [{"name": name, "type": "double"} for name in contents.columns]


def _profile(contents: Contents) -> dict[str, Any]:
    columns = {
        name: {
            "nullCount": int(column.null_rate * contents.rows),
            "distinctCount": column.distinct,
            "min": column.minimum,
            "max": column.maximum,
            "count": contents.rows,
            "sum": column.mean * contents.rows,
        }
        for name, column in contents.columns.items()
    }
    metrics = _facet("DataQualityMetricsInputDatasetFacet", rowCount=contents.rows, columnMetrics=columns)
    written = _facet("OutputStatisticsOutputDatasetFacet", rowCount=contents.rows)
    return {"dataQualityMetrics": metrics, "outputStatistics": written}


def _facet(name: str, **fields: Any) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": f"{_SPEC}/facets/1-0-0/{name}.json", **fields}
