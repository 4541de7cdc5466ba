"""One incident through one server: send, wait, ask, grade."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.bench.replay import lineage
from tests.bench.replay.floors import floor_scores
from tests.bench.replay.grading import (
    Answer,
    Course,
    Result,
    as_published,
    grade_changes,
    grade_scores,
    grade_services,
    result_of,
)
from tests.bench.replay.incidents import Candidate, Incident, IncidentSet, Telemetry
from tests.bench.replay.metrics import Grade
from tests.bench.replay.otlp import log_requests, trace_requests
from tests.bench.replay.redraw import redraw
from tests.bench.replay.target import Target
from whence.model.times import format_time

_KINDS = {"deploy": "deployment"}


@dataclass(frozen=True, slots=True)
class Options:
    """How to replay."""

    level: Literal["change", "service"] = "change"
    """What to find: the guilty change among those posted, or the faulty service with no change posted."""
    lineage: Literal["spans", "openlineage"] = "spans"
    seed: int | None = None
    """None sends names, ids and times as they were published."""


def replay(incidents: IncidentSet, incident: Incident, target: Target, options: Options) -> Result:
    """Send one incident to a server that knows nothing of it, and grade the answer."""
    telemetry = incidents.telemetry(incident)
    moved, published = incident, {one.change_id: one.change_id for one in incident.candidates}
    if options.seed is not None:
        moved, telemetry, published = redraw(incident, telemetry, options.seed)
    began = time.monotonic()
    _send(moved, telemetry, target, options)
    sent = time.monotonic()
    settled = target.settle()
    asked = time.monotonic()
    answer = target.post("/api/v1/investigations", _question(moved))
    course = Course(sent - began, settled.seconds, time.monotonic() - asked, settled.late_traces)
    grade, floors = _grades(answer, moved, target, options)
    return result_of(
        incident, as_published(answer, published, moved.detected_ns - incident.detected_ns), grade, floors, course
    )


def _send(incident: Incident, telemetry: Telemetry, target: Target, options: Options) -> None:
    """What happened around the incident; for the change level also what had changed, and first of all the lineage."""
    models: Mapping[str, list[str]] = {}
    if options.level == "change":
        models = _send_lineage(incident, target, options)
        target.post("/api/v1/changes", [_change(candidate) for candidate in incident.candidates])
    target.send("/v1/traces", trace_requests(telemetry.spans, models))
    target.send("/v1/logs", log_requests(telemetry.logs))


def _send_lineage(incident: Incident, target: Target, options: Options) -> Mapping[str, list[str]]:
    """Models by service that remain to be told on spans."""
    if options.lineage == "spans":
        target.send("/v1/traces", lineage.training_requests(incident))
        return lineage.models_served(incident)
    for event in lineage.openlineage_events(incident):
        target.post("/api/v1/lineage", event)
    return {}


def _change(candidate: Candidate) -> dict[str, Any]:
    return {
        "id": candidate.change_id,
        "kind": _KINDS.get(candidate.kind, candidate.kind),
        "subject": lineage.reference(candidate.node),
        "from": candidate.from_version,
        "to": candidate.to_version,
        "effective_at": format_time(candidate.at_ns),
    }


def _question(incident: Incident) -> dict[str, Any]:
    return {
        "symptom": {"entity": lineage.reference(incident.entry)},
        "detected_at": format_time(incident.detected_ns),
    }


def _grades(answer: Answer, incident: Incident, target: Target, options: Options) -> tuple[Grade, Mapping[str, Grade]]:
    """The answer's grade and those of the floors, where the store can be read and changes are what is ranked."""
    if options.level == "service":
        return grade_services(answer, incident.truth.service), {}
    truth = incident.truth.change_id
    if target.data_dir is None:
        return grade_changes(answer, truth), {}
    rankings = floor_scores(target.data_dir, lineage.reference(incident.entry), incident.detected_ns)
    return grade_changes(answer, truth), {name: grade_scores(scores, truth) for name, scores in rankings.items()}
