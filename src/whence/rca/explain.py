"""Words for the ranking: verdict, headline, what would settle it, and why a change was put aside.

Nothing here is called a cause: that takes a person who confirms it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from whence.model.answer import Band, Evidence, NoneRow, Role, RuledOut, Suspect, Verdict
from whence.model.change import Change
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.evidence import same_time_contrast
from whence.rca.onset import Observed
from whence.rca.topology import names_of
from whence.rca.weights import RankWeights

if TYPE_CHECKING:
    from whence.rca.rank import Weighed

TIE_RATIO = 1.1
"""Two suspects whose probabilities differ by less than this factor are not told apart."""
_BANDS = ((0.85, Band.VERY_LIKELY), (0.60, Band.LIKELY), (0.35, Band.POSSIBLE))


def rule_out(candidate: Candidate, observed: Observed) -> RuledOut | None:
    """The deciding reason against a candidate that needs no weighing; None when it must be weighed."""
    if candidate.acts_ns > observed.onset.high_ns:
        late = (candidate.acts_ns - observed.onset.at_ns) / NS_PER_SECOND
        return RuledOut(candidate.change, "after_onset", f"It took effect {late:.0f} s after the onset.")
    if not candidate.consumed:
        return RuledOut(candidate.change, "no_path", "Nothing upstream of the symptom has used this version yet.")
    return None


def suspect(candidate: Candidate, evidence: tuple[Evidence, ...], probability: float, rank: int) -> Suspect:
    """The card of one suspect."""
    return Suspect(
        rank=rank,
        probability=probability,
        band=band(probability),
        role=Role.VEHICLE,
        change=candidate.change,
        path=candidate.path,
        evidence=tuple(sorted(evidence, key=lambda one: (-abs(one.weight), one.code))),
        settle=settle(candidate, evidence),
        links=(candidate.change.url,) if candidate.change.url else (),
    )


def band(probability: float) -> Band:
    """The word for a probability."""
    return next((word for floor, word in _BANDS if probability >= floor), Band.WEAK)


def cap(evidence: Sequence[Evidence], weights: RankWeights) -> float:
    """Highest probability that may be shown without decisive evidence, or without a withdrawal that helped."""
    decisive = any(
        one.code == same_time_contrast.CODE and one.weight >= same_time_contrast.DECISIVE_NATS for one in evidence
    )
    return weights.cap_without_withdrawal if decisive else weights.cap_without_decisive


def verdict(suspects: Sequence[Suspect], none: NoneRow, *, has_data: bool) -> Verdict:
    """What the answer amounts to."""
    if not has_data:
        return Verdict.INSUFFICIENT
    if not suspects or none.probability >= suspects[0].probability:
        return Verdict.NONE
    if len(suspects) > 1 and suspects[0].probability < TIE_RATIO * suspects[1].probability:
        return Verdict.TIE
    return Verdict.SUSPECT


def headline(verdict: Verdict, suspects: Sequence[Suspect], none: NoneRow) -> str:
    """One line for the top of the page."""
    if verdict is Verdict.INSUFFICIENT:
        return "Not enough data: no requests of the symptom were recorded in the window."
    if verdict is Verdict.NONE:
        return "No recorded change explains this."
    first = suspects[0]
    if verdict is Verdict.TIE:
        return f"{describe(first.change)} and {describe(suspects[1].change)} can't be separated with today's telemetry."
    return f"{first.band.value.capitalize()}: {describe(first.change)} ({first.probability:.0%})."


def describe(change: Change) -> str:
    """A change in a few words: kind, name, versions."""
    name = next(iter(names_of((change.subject,))))
    versions = " → ".join(one for one in (change.from_version, change.to_version) if one)
    return f"{change.kind.value} of {name}" + (f" {versions}" if versions else "")


def settle(candidate: Candidate, evidence: Sequence[Evidence]) -> str:
    """What would tell for sure."""
    codes = {one.code for one in evidence}
    if same_time_contrast.CODE in codes:
        return "Take it back for a part of the traffic and compare the same minutes."
    return "Run the old version beside it for a part of the traffic; then the same minutes can be compared."


def none_reasons(weighed: Sequence[Weighed], observed: Observed) -> tuple[str, ...]:
    """Why "none of them" has the probability that it has."""
    reasons = []
    if not weighed:
        reasons.append("no change upstream of the symptom took effect before the onset")
    if not observed.found:
        reasons.append("the telemetry of the symptom shows no clear onset")
    return tuple(reasons)
