"""One case for a person: what happened, what was told, and what whence said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.simulator.delivery import Outcome
from tests.bench.simulator.judging import is_culprit
from tests.bench.simulator.story import Case
from whence.model.times import format_time


def explained(case: Case, outcome: Outcome) -> str:
    """Truth and answer side by side."""
    return "\n".join([*_truth(case), "", *_answer(case, outcome.answer)])


def _truth(case: Case) -> Iterator[str]:
    truth = case.truth
    yield f"case {case.case_id}: {truth.fault} ({truth.pillar}), {truth.shape}, {truth.difficulty}"
    yield f"hardships: {', '.join(truth.hardships) or 'none'}"
    yield f"onset {format_time(truth.onset_ns)}, alert {format_time(case.detected_ns)}"
    yield f"symptom {case.symptom} shows {truth.shows}; asked {format_time(case.asked_ns)}: {case.question}"
    yield from (f"effect {effect}" for effect in truth.effects)
    for culprit in truth.culprits:
        yield f"culprit {culprit}"
        for one in case.envelopes:
            if culprit.change_id and culprit.change_id in str(one.body):
                yield f"  told {format_time(one.arrival_ns)} {one.path} {one.body!r}"


def _answer(case: Case, answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"verdict {answer['verdict']}: {answer['headline']}"
    for part in ("onset", "completeness", "none"):
        yield f"{part} {answer[part]}"
    for one in answer["suspects"]:
        yield from _suspect(case, one)
    reasons = Counter(row["reason"] for row in answer["ruled_out"])
    yield f"ruled out: {dict(reasons)}"
    for row in answer["ruled_out"]:
        if is_culprit(row["change"], case.truth.culprits):
            yield f"RIGHT, but ruled out: {row['reason']} {row['sentence']} {row['change']}"


def _suspect(case: Case, one: Mapping[str, Any]) -> Iterator[str]:
    change, truth = one["change"], case.truth
    mark = "decoy" if change["id"] in truth.decoys else "wrong"
    mark = "RIGHT" if is_culprit(change, truth.culprits) else mark
    versions = f"{change['from']} -> {change['to']}"
    yield f"{one['rank']}. {one['probability']:.3f} {mark} {change['kind']} {change['subject']} {versions}"
    yield f"   {change['effective_at']} recorded={change['recorded']} {change['id']} {one['role']} with={one['with']}"
    yield f"   path {' > '.join(one['path'])}"
    for piece in one["evidence"]:
        yield f"   {piece['weight']:+.2f} {piece['code']}: {piece['sentence']}"
