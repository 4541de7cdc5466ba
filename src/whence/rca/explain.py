"""Words for the ranking: verdict, headline, what would settle it, and why "none of them" is as likely as it is.

Nothing here is called a cause: that takes a person who confirms it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from whence.model.answer import Band, Evidence, NoneRow, Suspect, Verdict
from whence.model.change import Change
from whence.rca.candidates import Candidate
from whence.rca.conditions import SOURCE
from whence.rca.evidence import data_profile, lead_time, overdue, path_flow, same_time_contrast, withdrawal
from whence.rca.scene import Scene
from whence.rca.topology import names_of
from whence.rca.weights import RankWeights

TIE_RATIO = 1.1
"""Two suspects whose probabilities differ by less than this factor are not told apart."""
TELLING_NATS = 1.0
DECISIVE_NATS = 3.0
DECISIVE_TOGETHER_NATS = 5.0
"""Several pieces that each say little, but all the same."""
ENOUGH_REQUESTS = 60.0
"""On the smaller side of a contrast; with fewer it is still ripening."""
_BANDS = ((0.85, Band.VERY_LIKELY), (0.60, Band.LIKELY), (0.35, Band.POSSIBLE))
_CIRCUMSTANTIAL = frozenset({lead_time.CODE, path_flow.CODE, "signal_fit"})
"""Evidence that needs no telemetry of the symptom."""


def band(probability: float) -> Band:
    """The word for a probability."""
    return next((word for floor, word in _BANDS if probability >= floor), Band.WEAK)


def cap(evidence: Sequence[Evidence], weights: RankWeights) -> float:
    """Highest probability that may be shown for want of decisive evidence, or of a withdrawal that helped."""
    strong = {one.code for one in evidence if one.weight >= DECISIVE_NATS}
    if withdrawal.CODE in strong:
        return 1.0
    telling = sum(one.weight for one in evidence if one.code not in _CIRCUMSTANTIAL and one.direction == "for")
    if same_time_contrast.CODE in strong or telling >= DECISIVE_TOGETHER_NATS:
        return weights.cap_without_withdrawal
    return weights.cap_without_decisive if telling >= TELLING_NATS else weights.cap_circumstantial


def verdict(scene: Scene, suspects: Sequence[Suspect], none: NoneRow) -> Verdict:
    """What the answer amounts to. Changes of one chain are no tie: they act together."""
    telling = any(one.code not in _CIRCUMSTANTIAL for suspect in suspects for one in suspect.evidence)
    if not len(scene.requests) and not telling:
        return Verdict.INSUFFICIENT
    if not suspects or none.probability >= suspects[0].probability:
        return Verdict.NONE
    first = suspects[0]
    rival = next((one for one in suspects[1:] if one.change.id not in first.with_changes), None)
    if rival is not None and first.probability < TIE_RATIO * rival.probability:
        return Verdict.TIE
    return Verdict.SUSPECT


def headline(verdict: Verdict, suspects: Sequence[Suspect]) -> str:
    """One line for the top of the page."""
    if verdict is Verdict.INSUFFICIENT:
        return "Not enough data: nothing was recorded of the symptom in the window."
    if verdict is Verdict.NONE:
        return "No recorded change explains this."
    first = suspects[0]
    if verdict is Verdict.TIE:
        rival = next(one for one in suspects[1:] if one.change.id not in first.with_changes)
        return f"{describe(first.change)} and {describe(rival.change)} can't be separated with today's telemetry."
    together = [one for one in suspects if one.change.id in first.with_changes]
    with_others = f", together with {describe(together[0].change)}" if together else ""
    return f"{first.band.value.capitalize()} ({first.probability:.0%}): {describe(first.change)}{with_others}."


def describe(change: Change) -> str:
    """A change in a few words: kind, name, versions."""
    name = next(iter(names_of((change.subject,))))
    if change.source == SOURCE:
        return f"trouble at {name} without a known change"
    if change.from_version and change.to_version:
        return f"{change.kind.value} of {name} {change.from_version} → {change.to_version}"
    return f"{change.kind.value} of {name} {change.to_version or change.from_version or ''}".rstrip()


def settle(candidate: Candidate, evidence: Sequence[Evidence]) -> str:
    """What would tell for sure."""
    by_code = {one.code: one for one in evidence}
    contrast = by_code.get(same_time_contrast.CODE)
    if overdue.CODE in by_code:
        return "Run the missing refresh and see whether the symptom goes away."
    if contrast is not None:
        fewest = min(_number(contrast, "new_requests"), _number(contrast, "old_requests"))
        if abs(contrast.weight) < DECISIVE_NATS and fewest < ENOUGH_REQUESTS:
            return f"The comparison of old and new needs about {math.ceil(ENOUGH_REQUESTS - fewest)} more requests."
        return "Take it back for a part of the traffic and compare the same minutes."
    if data_profile.CODE in by_code:
        return "Pin the snapshot before it for a part of the traffic and compare the same minutes."
    if candidate.new_nodes and candidate.old_nodes:
        return "Keep the old version on a part of the traffic: about 60 requests on each side can be compared."
    return "Tag spans with the version, or take it back for a part of the traffic; then old and new can be compared."


def none_reasons(scene: Scene, suspects: Sequence[Suspect], conditions: Sequence[str]) -> tuple[str, ...]:
    """What speaks for "none of them"."""
    reasons = [*conditions]
    if not suspects:
        reasons.append("no change upstream of the symptom took effect before the onset")
    elif all(one.evidence and not _speaks_for(one) for one in suspects):
        reasons.append("no change has evidence in its favour beside its timing")
    if not scene.observed.found:
        reasons.append("the requests of the symptom show no clear onset")
    if scene.case.truncated or scene.case.subgraph.truncated:
        reasons.append("the upstream graph was cut off at its size limit")
    return tuple(reasons)


def _speaks_for(suspect: Suspect) -> bool:
    return any(one.direction == "for" and one.code not in _CIRCUMSTANTIAL for one in suspect.evidence)


def _number(evidence: Evidence, name: str) -> float:
    value = evidence.data[name]
    return float(value) if isinstance(value, int | float) else 0.0
