"""From an answer and the truth to a grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.replay.metrics import Grade, Place
from tests.bench.simulator.delivery import Outcome
from tests.bench.simulator.faults.common import Culprit
from tests.bench.simulator.story import Case, Truth

LIKELY = 0.60
"""From this probability on a suspect counts as put forward."""
ABSTAINING = frozenset({"none", "insufficient"})


@dataclass(frozen=True, slots=True)
class Judged:
    """One case with its grade; what is kept of it when it is over."""

    case_id: str
    truth: Truth
    grade: Grade
    floors: Mapping[str, Grade]
    verdict: str
    top: str
    """What was named first, in words."""
    top_probability: float
    none_probability: float
    named: tuple[tuple[float, bool], ...]
    """Probability of every suspect, and whether it is rightly named."""
    fell_for_decoy: bool
    culprit_probability: float
    ruled_out: str
    """Why the culprit was put aside; empty if it wasn't."""
    seconds: float

    @property
    def has_culprit(self) -> bool:
        """Whether a recorded or visible change is to blame."""
        return bool(self.truth.culprits)


def judge(case: Case, outcome: Outcome, seconds: float) -> Judged:
    """Grade an answer and the baselines on the same case."""
    answer, truth = outcome.answer, case.truth
    suspects = answer["suspects"]
    right = [is_culprit(one["change"], truth.culprits) for one in suspects]
    named = tuple((float(one["probability"]), hit) for one, hit in zip(suspects, right, strict=True))
    first = suspects[0] if suspects else None
    confident = answer["verdict"] == "suspect" and bool(suspects) and suspects[0]["probability"] >= LIKELY
    return Judged(
        case_id=case.case_id,
        truth=truth,
        grade=Grade(
            answerable=bool(truth.culprits),
            place=place_among(named),
            abstained=answer["verdict"] in ABSTAINING or not suspects,
            confident=confident,
        ),
        floors={name: _floor(scores, outcome, truth) for name, scores in outcome.floors.items()},
        verdict=answer["verdict"],
        top=_words(first["change"]) if first else "",
        top_probability=named[0][0] if named else 0.0,
        none_probability=answer["none"]["probability"],
        named=named,
        fell_for_decoy=confident and not right[0] and suspects[0]["change"]["id"] in truth.decoys,
        culprit_probability=sum(probability for probability, hit in named if hit),
        ruled_out=next((one["reason"] for one in answer["ruled_out"] if is_culprit(one["change"], truth.culprits)), ""),
        seconds=seconds,
    )


def is_culprit(change: Mapping[str, Any], culprits: Sequence[Culprit]) -> bool:
    """Whether a change of an answer is one of those that are rightly named."""
    return any(_is(change, one) for one in culprits)


def _is(change: Mapping[str, Any], culprit: Culprit) -> bool:
    if culprit.change_id and change["id"] == culprit.change_id:
        return True
    if change["subject"] not in (culprit.subject, culprit.subject.partition("#")[2]):
        return False
    if culprit.kind == "staleness":
        return bool(change["kind"] == "staleness")
    return bool(culprit.version) and change["to"] == culprit.version


def place_among(named: Sequence[tuple[float, bool]]) -> Place | None:
    """Where the best of the culprits stands among scored changes; None where none is scored."""
    best = max((score for score, hit in named if hit), default=None)
    if best is None:
        return None
    others = [score for score, hit in named if not hit]
    return Place(sum(score > best for score in others), 1 + sum(score == best for score in others))


def _floor(scores: Mapping[str, float], outcome: Outcome, truth: Truth) -> Grade:
    named = [(score, _is_floor_culprit(change_id, outcome, truth)) for change_id, score in scores.items()]
    return Grade(bool(truth.culprits), place_among(named), abstained=not scores)


def _is_floor_culprit(change_id: str, outcome: Outcome, truth: Truth) -> bool:
    change = outcome.changes[change_id]
    told = {"id": change.id, "subject": change.subject, "to": change.to_version, "kind": change.kind.value}
    return is_culprit(told, truth.culprits)


def _words(change: Mapping[str, Any]) -> str:
    return f"{change['kind']} of {change['subject'].partition('#')[2] or change['subject']} to {change['to']}"
