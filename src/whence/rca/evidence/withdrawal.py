"""Whether the symptom went away once the change was taken back: the only evidence that comes close to proof."""

from __future__ import annotations

from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import evidence, percent
from whence.rca.scene import Scene

CODE = "withdrawal"
RECOVERED_NATS, UNCHANGED_NATS = 4.0, -4.0
CROWDED_NATS = 2.0
"""When something else changed at the same time as it was taken back."""
CROWD_NS = 120 * NS_PER_SECOND
SETTLE_NS = 60 * NS_PER_SECOND
MIN_REQUESTS = 10.0
RECOVERED_SHARE, UNCHANGED_SHARE = 0.25, 0.75
"""Of the rise that is left after it was taken back."""


def taken_back(candidate: Candidate, scene: Scene) -> Candidate | None:
    """The first later change of the same thing back to the version before; None when there is none.

    What takes a missed refresh back is the next one, not the first use of the snapshot that got too old.
    """
    before = candidate.change.from_version
    if not before:
        return None
    later = (one for one in scene.of_bases[candidate.bases] if one.acts_ns > candidate.acts_ns)
    if candidate.change.kind is ChangeKind.STALENESS:
        back = [one for one in later if one.change.effective_ns > candidate.acts_ns and one.change.to_version != before]
    else:
        back = [one for one in later if one.change.to_version == before]
    return min(back, key=lambda one: one.acts_ns, default=None)


def withdrawal(candidate: Candidate, scene: Scene) -> Evidence | None:
    """The bad share before, during and after; None unless it was taken back after the onset and time has passed."""
    back = taken_back(candidate, scene)
    onset = scene.observed.onset
    if back is None or not scene.observed.found or back.acts_ns <= onset.high_ns:
        return None
    everything = scene.tallies.everything
    during, after = everything.between(onset.at_ns, back.acts_ns), everything.between(back.acts_ns + SETTLE_NS)
    if min(during.total, after.total) < MIN_REQUESTS:
        return None
    high, now = during.bad / during.total, after.bad / after.total
    was = scene.observed.rate_before
    left = (now - was) / max(high - was, 1e-9)
    crowded = any(
        one.bases != candidate.bases and abs(one.acts_ns - back.acts_ns) <= CROWD_NS for one in scene.candidates
    )
    if left <= RECOVERED_SHARE:
        weight, word = (CROWDED_NATS if crowded else RECOVERED_NATS), "recovered"
    elif left >= UNCHANGED_SHARE:
        weight, word = UNCHANGED_NATS, "did not recover"
    else:
        weight, word = 0.0, "recovered in part"
    rates = f"{percent(was)} bad before, {percent(high)} during, {percent(now)} after"
    sentence = f"Once it was taken back the symptom {word}: {rates}."
    return evidence(CODE, weight, sentence, {"before": was, "during": high, "after": now, "back": back.change.id})
