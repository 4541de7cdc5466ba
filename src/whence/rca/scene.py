"""``Scene``: what all kinds of evidence look at, derived once from a case."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from whence.model.kinds import ChangeKind
from whence.model.times import NS_PER_SECOND
from whence.rca.behaviour import Behaviour
from whence.rca.candidates import Arrivals, Candidate, arrivals, gather
from whence.rca.case import Case
from whence.rca.columns import Floats
from whence.rca.logged import logged_onset
from whence.rca.onset import Observed, observe
from whence.rca.requests import Requests, rows_into
from whence.rca.tallies import Count, Tallies, Tally
from whence.rca.topology import Topology
from whence.rca.weights import RankWeights


@dataclass(frozen=True, slots=True)
class Scene:
    """A case with its graph, requests and behaviour in the shape that evidence is measured on."""

    case: Case
    weights: RankWeights
    topology: Topology
    requests: Requests
    observed: Observed
    bad: Floats
    """Bad requests in each row of ``requests``, by the signal of the symptom."""
    tallies: Tallies
    behaviour: Behaviour
    arrived: Arrivals
    candidates: tuple[Candidate, ...]
    nodes_of: Mapping[str, tuple[str, ...]]
    """Nodes that requests touched, by their entity."""
    repeats: Mapping[tuple[tuple[str, ...], ChangeKind], int]
    """Candidates of one subject and kind."""
    of_bases: Mapping[tuple[str, ...], tuple[Candidate, ...]]
    """Candidates of one subject."""

    def through(self, candidate: Candidate) -> Tally:
        """Requests that went through the services in whose telemetry a change shows."""
        return self.tallies.of(node for place in candidate.carriers for node in self.nodes_of.get(place, ()))

    def meeting(self, candidate: Candidate) -> Tally:
        """Requests that met a change; those that went where it shows, when telemetry doesn't tell versions apart."""
        return self.tallies.of(candidate.new_nodes) if candidate.new_nodes else self.through(candidate)

    def excess(self, count: Count) -> float:
        """Bad requests beyond what was usual before the onset."""
        return count.bad - self.observed.rate_before * count.total


def scene_of(case: Case, weights: RankWeights) -> Scene:
    """Derive a scene. Cost: O(rows) and O(series x buckets)."""
    topology = Topology(case.subgraph, case.incident.symptom.entity)
    requests = Requests(rows_into(case, topology), case.bucket_s)
    observed = observe(requests, case.incident, logged_onset(case, topology))
    arrived = arrivals(case, topology)
    candidates = gather(case, topology, arrived, observed.onset.high_ns)
    baseline_until_s = requests.baseline_until_s(case.incident.detected_ns // NS_PER_SECOND)
    bad = requests.bad(observed.signal, baseline_until_s)
    return Scene(
        case=case,
        weights=weights,
        topology=topology,
        requests=requests,
        observed=observed,
        bad=bad,
        tallies=Tallies(requests, bad),
        behaviour=Behaviour(
            case, requests, topology, observed.signal if observed.found else case.incident.symptom.signal
        ),
        arrived=arrived,
        candidates=candidates,
        nodes_of=_by_entity(requests.nodes, topology),
        repeats=Counter((one.bases, one.change.kind) for one in candidates),
        of_bases=_by_bases(candidates),
    )


def _by_bases(candidates: Iterable[Candidate]) -> dict[tuple[str, ...], tuple[Candidate, ...]]:
    found: dict[tuple[str, ...], list[Candidate]] = defaultdict(list)
    for one in candidates:
        found[one.bases].append(one)
    return {bases: tuple(members) for bases, members in found.items()}


def _by_entity(nodes: Iterable[str], topology: Topology) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        if node:
            found[topology.base(node)].append(node)
    return {entity: tuple(members) for entity, members in found.items()}
