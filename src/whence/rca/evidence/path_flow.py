"""Whether the way from the symptom to the change carries the trouble, and how strong that way is."""

from __future__ import annotations

import math

from whence.model.answer import Evidence
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.columns import Floats
from whence.rca.evidence.common import clip, evidence, percent
from whence.rca.onset import Observed
from whence.rca.requests import Requests
from whence.rca.topology import Topology

CODE = "path_flow"
FLOW_LOW, FLOW_HIGH = -4.0, 1.2
PATH_LOW, PATH_HIGH = -2.0, 1.0
MIN_EXCESS = 3.0
TYPICAL_STRENGTH = 0.6


def path_flow(
    candidate: Candidate, requests: Requests, bad: Floats, observed: Observed, topology: Topology
) -> Evidence | None:
    """Share of the excess against share of the traffic on requests that get there; else the strength of the path."""
    flow = _flow(candidate, requests, bad, observed, topology)
    if flow is not None:
        excess, traffic = flow
        weight = clip(math.log((excess + 0.05) / (traffic + 0.05)), FLOW_LOW, FLOW_HIGH)
        sentence = f"{percent(excess)} of the extra bad requests and {percent(traffic)} of all requests go through it."
        return evidence(CODE, weight, sentence, {"excess_share": excess, "traffic_share": traffic})
    weight = clip(math.log(max(candidate.strength, 1e-6) / TYPICAL_STRENGTH), PATH_LOW, PATH_HIGH)
    hops = len(candidate.path) - 1
    sentence = f"It lies {hops} {'hop' if hops == 1 else 'hops'} upstream of the symptom."
    return evidence(CODE, weight, sentence, {"strength": candidate.strength, "hops": hops})


def _flow(
    candidate: Candidate, requests: Requests, bad: Floats, observed: Observed, topology: Topology
) -> tuple[float, float] | None:
    if not observed.found or topology.symptom in candidate.carriers:
        return None
    carriers = frozenset(candidate.carriers)
    nodes = [node for node in requests.nodes if node and topology.base(node) in carriers]
    after = requests.start_s * NS_PER_SECOND >= observed.onset.low_ns
    everything = requests.everything[after[requests.everything]]
    touching = requests.touching(nodes)
    touching = touching[after[touching]]
    excess = float(bad[everything].sum() - observed.rate_before * requests.total[everything].sum())
    if excess < MIN_EXCESS or not nodes:
        return None
    mine = float(bad[touching].sum() - observed.rate_before * requests.total[touching].sum())
    traffic = float(requests.total[touching].sum() / max(requests.total[everything].sum(), 1e-9))
    return clip(mine / excess, 0.0, 1.0), clip(traffic, 0.0, 1.0)
