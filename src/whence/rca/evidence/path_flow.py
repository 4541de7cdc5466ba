"""Whether the way from the symptom to the change carries the trouble, and how strong that way is."""

from __future__ import annotations

import math

from whence.model.answer import Evidence
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import clip, evidence, percent
from whence.rca.scene import Scene

CODE = "path_flow"
FLOW_LOW, FLOW_HIGH = -4.0, 1.2
PATH_LOW, PATH_HIGH = -2.0, 1.0
MIN_EXCESS = 3.0
MIN_REQUESTS = 20.0
AVOIDED_NATS = -3.0
TYPICAL_STRENGTH = 0.6


def path_flow(candidate: Candidate, scene: Scene) -> Evidence:
    """Share of the excess against share of the traffic on requests that get there; else the strength of the path."""
    if _is_avoided(candidate, scene):
        sentence = "None of the symptom's requests went through it."
        return evidence(CODE, AVOIDED_NATS, sentence, {"excess_share": 0.0, "traffic_share": 0.0})
    flow = _flow(candidate, scene)
    if flow is not None:
        excess, traffic = flow
        weight = clip(math.log((excess + 0.05) / (traffic + 0.05)), FLOW_LOW, FLOW_HIGH)
        sentence = f"{percent(excess)} of the extra bad requests and {percent(traffic)} of all requests go through it."
        return evidence(CODE, weight, sentence, {"excess_share": excess, "traffic_share": traffic})
    weight = clip(math.log(max(candidate.strength, 1e-6) / TYPICAL_STRENGTH), PATH_LOW, PATH_HIGH)
    hops = len(candidate.path) - 1
    sentence = f"It lies {hops} {'hop' if hops == 1 else 'hops'} upstream of the symptom."
    return evidence(CODE, weight, sentence, {"strength": candidate.strength, "hops": hops})


def _is_avoided(candidate: Candidate, scene: Scene) -> bool:
    """Whether requests would have touched the place had they gone there, and none did."""
    total = scene.tallies.everything.between().total
    within = candidate.carriers and scene.topology.within_requests.issuperset(candidate.carriers)
    return bool(within) and total >= MIN_REQUESTS and bool(scene.nodes_of) and not len(scene.through(candidate))


def _flow(candidate: Candidate, scene: Scene) -> tuple[float, float] | None:
    """Shares of the excess and of the traffic since the onset; None where all requests get there, or none are known."""
    through = scene.through(candidate)
    if not scene.observed.found or scene.topology.symptom in candidate.carriers or not len(through):
        return None
    onset = scene.observed.onset.low_ns
    everything, mine = scene.tallies.everything.between(onset), through.between(onset)
    excess = scene.excess(everything)
    if excess < MIN_EXCESS:
        return None
    return clip(scene.excess(mine) / excess, 0.0, 1.0), clip(mine.total / everything.total, 0.0, 1.0)
