"""How much of the extra bad requests met the new version: a change that touched few of them explains little."""

from __future__ import annotations

import math

from whence.model.answer import Evidence
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import clip, evidence, percent
from whence.rca.scene import Scene

CODE = "explained_share"
LOW_NATS, HIGH_NATS = -3.0, 1.2
MIN_EXCESS = 3.0
FEW_SHARE = 0.1


def explained_share(candidate: Candidate, scene: Scene) -> Evidence | None:
    """Share of the excess that requests meeting the new version brought; None without versions or without excess.

    A version that all requests meet explains all of them, guilty or not, so only what it holds beyond its share of the
    traffic counts for it.
    """
    onset = scene.observed.onset.low_ns
    new, everything = scene.tallies.of(candidate.new_nodes), scene.tallies.everything.between(onset)
    excess = scene.excess(everything)
    if not scene.observed.found or excess < MIN_EXCESS or not candidate.old_nodes or not len(new):
        return None
    mine = new.between(onset)
    share = clip(scene.excess(mine) / excess, 0.0, 1.0)
    traffic = clip(mine.total / everything.total, 0.0, 1.0)
    weight = clip(math.log(3 * share**2 + 0.02) - math.log(0.6 * (share + 0.02) ** -0.4 + 0.02), LOW_NATS, HIGH_NATS)
    weight = min(weight, max(math.log((share + 0.05) / (traffic + 0.05)), 0.0))
    if share < FEW_SHARE:
        sentence = f"Only {percent(share)} of the extra bad requests met the new version."
    else:
        sentence = f"Requests that met the new version hold {percent(share)} of the extra bad ones."
    return evidence(CODE, weight, sentence, {"share": share, "traffic_share": traffic, "excess": excess})
