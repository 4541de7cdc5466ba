"""From an answer to its grade, in the published names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.bench.replay.incidents import Incident
from tests.bench.replay.lineage import reference
from tests.bench.replay.metrics import Grade, place_of
from whence.model.times import NS_PER_SECOND, format_time, parse_time_ns

LIKELY = 0.60
"""From this probability on a suspect counts as put forward."""
ONSET = ("at", "low", "high")
_ABSTAINING = frozenset({"none", "insufficient"})

Answer = dict[str, Any]
"""Body of the answer to an investigation."""


class Course(NamedTuple):
    """How sending and asking went."""

    send_seconds: float
    settle_seconds: float
    """From the last request sent to the last number moved."""
    ask_seconds: float
    late_traces: int
    """Traces that were given up too early because the machine was busy; the answer rests on wrong counts then."""


class Named(NamedTuple):
    """One suspect of an answer."""

    change_id: str
    probability: float
    evidence: Mapping[str, float]
    """Nats by code."""


@dataclass(frozen=True, slots=True)
class Result:
    """One case."""

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
    onset_s: tuple[float, ...]
    """When trouble is said to have begun, at the earliest and at the latest; seconds from the detection."""
    ruled_out: Mapping[str, str]
    """Reason for each change that was put aside."""
    grade: Grade
    floors: Mapping[str, Grade]
    """The same case graded for each trivial baseline; empty where the store can't be read."""
    course: Course


def result_of(incident: Incident, answer: Answer, grade: Grade, floors: Mapping[str, Grade], course: Course) -> Result:
    """All that is reported of a case whose answer speaks of published ids and times."""
    kinds = {candidate.change_id: candidate.kind for candidate in incident.candidates}
    return Result(
        case_id=incident.case_id,
        group=incident.group,
        fault=incident.truth.fault,
        kind=kinds.get(incident.truth.change_id or "", "none"),
        truth=incident.truth.change_id,
        verdict=answer["verdict"],
        headline=answer["headline"],
        suspects=tuple(map(_named, answer["suspects"])),
        none_probability=answer["none"]["probability"],
        onset_s=tuple(
            (parse_time_ns(answer["onset"][part], now_ns=0) - incident.detected_ns) / NS_PER_SECOND for part in ONSET
        ),
        ruled_out={row["change"]["id"]: row["reason"] for row in answer["ruled_out"]},
        grade=grade,
        floors=floors,
        course=course,
    )


def grade_changes(answer: Answer, truth: str | None) -> Grade:
    """Where the guilty change stands among the suspects."""
    return _grade(answer, truth, {suspect["change"]["id"]: suspect["probability"] for suspect in answer["suspects"]})


def grade_services(answer: Answer, service: str) -> Grade:
    """Where the faulty service stands: each suspect names one place, the end of its path."""
    return _grade(answer, reference(service), dict(_service_scores(answer["suspects"])))


def grade_scores(scores: Mapping[str, float], truth: str | None) -> Grade:
    """A ranking that claims no probability and names whenever it ranks anything."""
    place = place_of(truth, scores) if truth else None
    return Grade(answerable=truth is not None, place=place, abstained=not scores)


def as_published(answer: Answer, published: Mapping[str, str], shift_ns: int) -> Answer:
    """The answer as if ids and times had not been drawn anew; ids of inferred changes stay."""

    def renamed(row: Answer) -> Answer:
        change = row["change"]
        return {**row, "change": {**change, "id": published.get(change["id"], change["id"])}}

    rows = {part: [renamed(row) for row in answer[part]] for part in ("suspects", "ruled_out")}
    onset = {part: format_time(parse_time_ns(answer["onset"][part], now_ns=0) - shift_ns) for part in ONSET}
    return {**answer, **rows, "onset": onset}


def _grade(answer: Answer, truth: str | None, scores: Mapping[str, float]) -> Grade:
    suspects = answer["suspects"]
    abstained = answer["verdict"] in _ABSTAINING or not suspects
    return Grade(
        answerable=truth is not None,
        place=place_of(truth, scores) if truth else None,
        abstained=abstained,
        confident=answer["verdict"] == "suspect" and bool(suspects) and suspects[0]["probability"] >= LIKELY,
    )


def _service_scores(suspects: Sequence[Answer]) -> Iterator[tuple[str, float]]:
    """Each thing named, with the probability of the best suspect that names it: worst first, so the best stays."""
    for suspect in reversed(suspects):
        for node in (*suspect["path"][-1:], suspect["change"]["subject"]):
            yield node.partition("@")[0], suspect["probability"]


def _named(suspect: Answer) -> Named:
    weights = {piece["code"]: piece["weight"] for piece in suspect["evidence"]}
    return Named(suspect["change"]["id"], suspect["probability"], weights)
