"""Which candidates are put aside, each with the deciding reason."""

from __future__ import annotations

from whence.model.answer import RuledOut
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.evidence import explained_share, same_time_contrast
from whence.rca.evidence.common import span
from whence.rca.evidence.withdrawal import taken_back
from whence.rca.scene import Scene
from whence.rca.weighing import MOST_CANDIDATES, Weighed

ALIKE_NATS = -2.0
FEW_NATS = -2.5
_MINUTE_NS = 60 * NS_PER_SECOND


def rule_out(candidate: Candidate, scene: Scene) -> RuledOut | None:
    """The deciding reason against a candidate that needs no weighing; None when it must be weighed."""
    onset = scene.observed.onset
    if candidate.acts_ns > onset.high_ns + 2 * candidate.slack_ns:
        late = span((candidate.acts_ns - onset.at_ns) / _MINUTE_NS)
        return RuledOut(candidate.change, "after_onset", f"It took effect {late} after the onset.")
    if not candidate.is_consumed:
        return RuledOut(candidate.change, "no_path", "Nothing upstream of the symptom used this version.")
    back = taken_back(candidate, scene)
    if back is not None and back.acts_ns < onset.low_ns:
        early = span((onset.at_ns - back.acts_ns) / _MINUTE_NS)
        return RuledOut(candidate.change, "reverted_before_onset", f"It was taken back {early} before the onset.")
    return None


def ruled_out_by_evidence(weighed: Weighed) -> RuledOut | None:
    """The piece of evidence that settles it; None when there is no such piece."""
    contrast, share = weighed.piece(same_time_contrast.CODE), weighed.piece(explained_share.CODE)
    if contrast is not None and contrast.weight <= ALIKE_NATS:
        return RuledOut(weighed.candidate.change, "old_and_new_alike", contrast.sentence)
    if share is not None and share.weight <= FEW_NATS:
        return RuledOut(weighed.candidate.change, "touched_few_failures", share.sentence)
    return None


def outnumbered(candidate: Candidate) -> RuledOut:
    """Why a candidate was not looked at."""
    sentence = f"By timing and kind alone {MOST_CANDIDATES} other changes are likelier."
    return RuledOut(candidate.change, "outnumbered", sentence)
