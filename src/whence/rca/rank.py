"""From a case to an answer: gather candidates, rule some out, weigh the rest, and let them compete with "none"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whence.model.answer import Answer, Evidence, NoneRow, RuledOut, Suspect
from whence.model.times import NS_PER_SECOND
from whence.rca import explain
from whence.rca.behaviour import Behaviour
from whence.rca.candidates import Candidate, gather
from whence.rca.canonical import inputs_hash
from whence.rca.case import Case
from whence.rca.columns import Floats
from whence.rca.completeness import completeness
from whence.rca.evidence.before_after import before_after
from whence.rca.evidence.explained_share import explained_share
from whence.rca.evidence.lead_time import lead_time
from whence.rca.evidence.origin import MOVED_SCORE, Moved, moved, origin
from whence.rca.evidence.path_flow import path_flow
from whence.rca.evidence.same_time_contrast import same_time_contrast
from whence.rca.onset import Observed, normal_around, observe
from whence.rca.posterior import posterior
from whence.rca.requests import Requests
from whence.rca.topology import Topology
from whence.rca.weights import DEFAULT_WEIGHTS, WEIGHTS_VERSION, RankWeights

PRECISION = 9
"""Decimals of a probability that count; what differs beyond is a tie."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate with its evidence."""

    candidate: Candidate
    evidence: tuple[Evidence, ...]

    @property
    def nats(self) -> float:
        """Sum of the weights."""
        return sum(one.weight for one in self.evidence)


def rank(case: Case, weights: RankWeights = DEFAULT_WEIGHTS) -> Answer:
    """Rank the changes upstream of the symptom by how likely each caused the incident.

    Deterministic, and independent of the order of rows, of names and of ids: those only order what is tied.

    Cost: O(rows) for the columns, then O(candidates x rows of the candidate); no I/O.
    """
    topology = Topology(case.subgraph, case.incident.symptom.entity)
    requests = Requests(case.exposures, case.bucket_s)
    observed = observe(requests, case.incident)
    candidates = gather(case, topology, observed.onset.high_ns)
    ruled_out = tuple(one for one in (explain.rule_out(candidate, observed) for candidate in candidates) if one)
    excluded = {one.change.id for one in ruled_out}
    running = [one for one in candidates if one.change.id not in excluded]
    weighed = weigh(case, running, requests, observed, weights)
    return _answer(case, weighed, ruled_out, observed, requests, weights)


def weigh(
    case: Case, candidates: Sequence[Candidate], requests: Requests, observed: Observed, weights: RankWeights
) -> tuple[Weighed, ...]:
    """All evidence on each candidate."""
    topology = Topology(case.subgraph, case.incident.symptom.entity)
    detected_s = case.incident.detected_ns // 1_000_000_000
    bad = requests.bad(observed.signal, requests.baseline_until_s(detected_s))
    repeats = Counter((one.bases, one.change.kind) for one in candidates)
    behaviour = Behaviour(case.operations, case.edges, requests, topology)
    weighed = []
    for one in candidates:
        contrast = same_time_contrast(one, requests, bad)
        found = moved(one, behaviour, _until_s(case, observed))
        pieces = (
            lead_time(one, _onsets(observed, found, case.bucket_s), weights, repeats[(one.bases, one.change.kind)] - 1),
            contrast,
            before_after(one, requests, bad, topology) if contrast is None else None,
            explained_share(one, requests, bad, observed),
            path_flow(one, requests, bad, observed, topology),
            origin(found, weights.priors[one.change.kind]) if found is not None else None,
        )
        weighed.append(Weighed(one, tuple(piece for piece in pieces if piece is not None)))
    return tuple(weighed)


def _until_s(case: Case, observed: Observed) -> int:
    """Movements that begin later than this can't have brought the symptom about."""
    latest = observed.onset.high_ns if observed.found else case.incident.detected_ns
    return latest // NS_PER_SECOND + case.bucket_s


def _onsets(observed: Observed, found: Moved | None, bucket_s: int) -> tuple[Floats, Floats]:
    """When the candidate would have begun to hurt: as its own place shows, else as the symptom does."""
    if found is None or found.earlier or found.movement.score < MOVED_SCORE:
        return observed.possible_onsets_ns()
    sigma = 1.5 * bucket_s * NS_PER_SECOND
    instants, weights = normal_around(0.0, sigma)
    onsets = found.onsets_s * NS_PER_SECOND
    return (onsets[:, np.newaxis] + instants).ravel(), (found.probabilities[:, np.newaxis] * weights).ravel()


def _answer(
    case: Case,
    weighed: Sequence[Weighed],
    ruled_out: tuple[RuledOut, ...],
    observed: Observed,
    requests: Requests,
    weights: RankWeights,
) -> Answer:
    scores = np.array([one.nats for one in weighed], dtype=np.float64)
    result = posterior(scores, weights)
    suspects = _suspects(case, weighed, result.alone, weights)
    none = NoneRow(round(result.none, PRECISION), explain.none_reasons(weighed, observed))
    verdict = explain.verdict(suspects, none, has_data=bool(len(requests)))
    return Answer(
        as_of_ns=case.as_of_ns,
        symptom=case.incident.symptom,
        environment=case.incident.environment,
        verdict=verdict,
        headline=explain.headline(verdict, suspects, none),
        onset=observed.onset,
        suspects=suspects[: case.incident.limit],
        none=none,
        ruled_out=tuple(sorted(ruled_out, key=lambda one: (one.reason, one.change.effective_ns, one.change.id))),
        completeness=completeness(case, requests),
        truncated=case.truncated or case.subgraph.truncated,
        weights_version=WEIGHTS_VERSION,
        inputs_hash=inputs_hash(case),
    )


def _suspects(case: Case, weighed: Sequence[Weighed], shares: Floats, weights: RankWeights) -> tuple[Suspect, ...]:
    capped = [
        round(min(float(share), explain.cap(one.evidence, weights)), PRECISION)
        for one, share in zip(weighed, shares, strict=True)
    ]
    order = sorted(range(len(weighed)), key=lambda at: (-capped[at], *_stable_key(weighed[at])))
    suspects: list[Suspect] = []
    for position, at in enumerate(order, start=1):
        tied = suspects and suspects[-1].probability == capped[at]
        suspects.append(
            explain.suspect(
                weighed[at].candidate, weighed[at].evidence, capped[at], suspects[-1].rank if tied else position
            )
        )
    return tuple(suspects)


def _stable_key(weighed: Weighed) -> tuple[int, str, str, str]:
    change = weighed.candidate.change
    return (-change.effective_ns, change.kind.value, change.subject, change.id)
