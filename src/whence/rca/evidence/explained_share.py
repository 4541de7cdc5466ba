"""How much of the extra bad requests met the new version: a change that touched few of them explains little."""

from __future__ import annotations

import math

from whence.model.answer import Evidence
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.columns import Floats
from whence.rca.evidence.common import clip, evidence, percent
from whence.rca.onset import Observed
from whence.rca.requests import Requests

CODE = "explained_share"
LOW_NATS, HIGH_NATS = -3.0, 1.2
MIN_EXCESS = 3.0
FEW_SHARE = 0.1


def explained_share(candidate: Candidate, requests: Requests, bad: Floats, observed: Observed) -> Evidence | None:
    """Share of the excess that requests meeting the new version brought; None without versions or without excess."""
    after = requests.start_s * NS_PER_SECOND >= observed.onset.low_ns
    everything = requests.everything[after[requests.everything]]
    excess = bad[everything].sum() - observed.rate_before * requests.total[everything].sum()
    new = requests.touching(candidate.new_nodes)
    new = new[after[new]]
    if excess < MIN_EXCESS or not candidate.old_nodes or not len(requests.touching(candidate.new_nodes)):
        return None
    explained = max(0.0, float(bad[new].sum() - observed.rate_before * requests.total[new].sum()))
    share = min(1.0, explained / float(excess))
    weight = clip(math.log(3 * share**2 + 0.02) - math.log(0.6 * (share + 0.02) ** -0.4 + 0.02), LOW_NATS, HIGH_NATS)
    if share < FEW_SHARE:
        sentence = f"Only {percent(share)} of the extra bad requests met the new version."
    else:
        sentence = f"Requests that met the new version hold {percent(share)} of the extra bad ones."
    return evidence(CODE, weight, sentence, {"share": share, "excess": float(excess)})
