"""Requests that met the change before the onset and were none the worse for it.

Most changes that hurt do so from the first request on. A share of them sleeps first (caches, rare inputs, the next
peak), which is all that is left of a suspect that was in use for many requests without harm.
"""

from __future__ import annotations

import math

from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import evidence
from whence.rca.scene import Scene

CODE = "clean_start"
SLEEPING_SHARE = 0.2
MIN_REQUESTS = 5.0


def clean_start(candidate: Candidate, scene: Scene) -> Evidence | None:
    """How unlikely so many good requests were, had each been hurt as those after the onset are."""
    observed = scene.observed
    if (
        candidate.change.kind is ChangeKind.STALENESS
        or not observed.found
        or candidate.acts_ns >= observed.onset.low_ns
    ):
        return None
    tally = scene.meeting(candidate)
    early = tally.between(candidate.acts_ns, observed.onset.low_ns)
    late = tally.between(observed.onset.at_ns)
    if early.total < MIN_REQUESTS or not late.total:
        return None
    met, hurt = early.total, scene.excess(early)
    harm = min(max(scene.excess(late) / late.total, 0.0), 0.99)
    spared = max(met - max(hurt, 0.0) / max(harm, 1e-9), 0.0)
    weight = math.log(SLEEPING_SHARE + (1 - SLEEPING_SHARE) * (1 - harm) ** spared)
    sentence = f"Before the onset {met:.0f} requests met it and were no worse than usual."
    return evidence(CODE, weight, sentence, {"requests": met, "harm": harm})
