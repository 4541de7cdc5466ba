"""Which candidates need no weighing, each with the deciding reason."""

from __future__ import annotations

from whence.model.answer import RuledOut
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import span
from whence.rca.evidence.withdrawal import taken_back
from whence.rca.scene import Scene


def rule_out(candidate: Candidate, scene: Scene) -> RuledOut | None:
    """The deciding reason against a candidate; None when it must be weighed."""
    onset = scene.observed.onset
    if candidate.acts_ns > onset.high_ns:
        late = span((candidate.acts_ns - onset.at_ns) / (60 * NS_PER_SECOND))
        return RuledOut(candidate.change, "after_onset", f"It took effect {late} after the onset.")
    if not candidate.is_consumed:
        return RuledOut(candidate.change, "no_path", "Nothing upstream of the symptom used this version.")
    back = taken_back(candidate, scene.candidates)
    if back is not None and back.acts_ns < onset.low_ns:
        early = span((onset.at_ns - back.acts_ns) / (60 * NS_PER_SECOND))
        return RuledOut(candidate.change, "reverted_before_onset", f"It was taken back {early} before the onset.")
    return None
