"""One incident through one server: send, wait, ask, grade."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tests.bench.replay import lineage
from tests.bench.replay.floors import floor_scores
from tests.bench.replay.incidents import Candidate, Incident, IncidentSet, Telemetry
from tests.bench.replay.metrics import Grade, place_of
from tests.bench.replay.otlp import log_requests, trace_requests
from tests.bench.replay.redraw import redraw
from tests.bench.replay.target import Target
from whence.model.times import format_time

LIKELY = 0.60
"""From this probability on a suspect counts as put forward."""
_KINDS = {"deploy": "deployment"}
_ABSTAINING = frozenset({"none", "insufficient"})


@dataclass(frozen=True, slots=True)
class Options:
    """How to replay."""

    level: Literal["change", "service"] = "change"
    """What to find: the guilty change among those posted, or the faulty service with no change posted."""
    lineage: Literal["spans", "openlineage"] = "spans"
    seed: int | None = None
    """None sends names, ids and times as they were published."""


class Seconds(NamedTuple):
    """Where the time went; ``settle`` is without the quiet that proves it is over."""

    send: float
    settle: float
    ask: float


class Named(NamedTuple):
    """One suspect of an answer."""

    change_id: str
    probability: float
    evidence: Mapping[str, float]
    """Nats by code."""


@dataclass(frozen=True, slots=True)
class Result:
    """One case, in the published names."""

    case_id: str
    group: str
    fault: str
    kind: str
    """Kind of the guilty change; ``none`` where none was recorded."""
    truth: str | None
    verdict: str
    headline: str
    suspects: tuple[Named, ...]
    """What was named, best first."""
    none_probability: float
    ruled_out: Mapping[str, str]
    """Reason for each change that was put aside."""
    grade: Grade
    floors: Mapping[str, Grade]
    """The same case graded for each trivial baseline; empty where the store can't be read."""
    seconds: Seconds


def replay(incidents: IncidentSet, incident: Incident, target: Target, options: Options) -> Result:
    """Send one incident to a server that knows nothing of it, and grade the answer."""
    telemetry = incidents.telemetry(incident)
    moved, published = incident, {one.change_id: one.change_id for one in incident.candidates}
    if options.seed is not None:
        moved, telemetry, published = redraw(incident, telemetry, options.seed)
    began = time.monotonic()
    _send(moved, telemetry, target, options)
    sent = time.monotonic()
    settle = target.settle()
    asked = time.monotonic()
    answer = target.post("/api/v1/investigations", _question(moved))
    seconds = Seconds(sent - began, settle, time.monotonic() - asked)
    floors = _grade_floors(moved, target) if options.level == "change" else {}
    grade = _grade(answer, moved, options)
    return _result(incident, answer, grade, floors, seconds, published)


def _send(incident: Incident, telemetry: Telemetry, target: Target, options: Options) -> None:
    """Training first, then what happened around the incident, then what had changed."""
    by_spans = options.lineage == "spans"
    if options.level == "change" and by_spans:
        target.send("/v1/traces", lineage.training_requests(incident))
    elif options.level == "change":
        for event in lineage.openlineage_events(incident):
            target.post("/api/v1/lineage", event)
    models = lineage.models_served(incident) if options.level == "change" and by_spans else {}
    target.send("/v1/traces", trace_requests(telemetry.spans, models))
    target.send("/v1/logs", log_requests(telemetry.logs))
    if options.level == "change":
        target.post("/api/v1/changes", [_change(candidate) for candidate in incident.candidates])


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


def _grade(answer: dict[str, Any], incident: Incident, options: Options) -> Grade:
    suspects = answer["suspects"]
    abstained = answer["verdict"] in _ABSTAINING or not suspects
    confident = not abstained and answer["verdict"] == "suspect" and suspects[0]["probability"] >= LIKELY
    if options.level == "service":
        truth: str | None = lineage.reference(incident.truth.service)
        scores = dict(_service_scores(suspects))
    else:
        truth = incident.truth.change_id
        scores = {suspect["change"]["id"]: suspect["probability"] for suspect in suspects}
    place = place_of(truth, scores) if truth else None
    return Grade(answerable=truth is not None, place=place, abstained=abstained, confident=confident)


def _service_scores(suspects: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    """Each thing that a suspect or its path names, by the best suspect that does; worst first, so the best stays."""
    for suspect in reversed(suspects):
        for node in (*suspect["path"][1:], suspect["change"]["subject"]):
            yield node.partition("@")[0], suspect["probability"]


def _grade_floors(incident: Incident, target: Target) -> Mapping[str, Grade]:
    """A baseline names whenever it ranks anything, and claims no probability."""
    if target.data_dir is None:
        return {}
    truth = incident.truth.change_id
    rankings = floor_scores(target.data_dir, lineage.reference(incident.entry), incident.detected_ns)
    return {
        name: Grade(
            answerable=truth is not None,
            place=place_of(truth, scores) if truth else None,
            abstained=not scores,
        )
        for name, scores in rankings.items()
    }


def _result(
    incident: Incident,
    answer: dict[str, Any],
    grade: Grade,
    floors: Mapping[str, Grade],
    seconds: Seconds,
    published: Mapping[str, str],
) -> Result:
    def old(change: dict[str, Any]) -> str:
        return published.get(change["id"], change["id"])

    kinds = {candidate.change_id: candidate.kind for candidate in incident.candidates}
    return Result(
        case_id=incident.case_id,
        group=incident.group,
        fault=incident.truth.fault,
        kind=kinds.get(incident.truth.change_id or "", "none"),
        truth=incident.truth.change_id,
        verdict=answer["verdict"],
        headline=answer["headline"],
        suspects=tuple(
            Named(old(suspect["change"]), suspect["probability"], _weights(suspect)) for suspect in answer["suspects"]
        ),
        none_probability=answer["none"]["probability"],
        ruled_out={old(row["change"]): row["reason"] for row in answer["ruled_out"]},
        grade=grade,
        floors=floors,
        seconds=seconds,
    )


def _weights(suspect: dict[str, Any]) -> Mapping[str, float]:
    return {piece["code"]: piece["weight"] for piece in suspect["evidence"]}
