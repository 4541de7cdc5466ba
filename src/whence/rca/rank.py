"""From a case to an answer: gather candidates, rule some out, weigh the rest, and let them compete with "none"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whence.model.answer import Answer, Evidence, NoneRow, RuledOut, Suspect
from whence.rca import explain
from whence.rca.candidates import Candidate
from whence.rca.canonical import inputs_hash, ordered
from whence.rca.case import Case
from whence.rca.chains import Link, links_of
from whence.rca.completeness import completeness
from whence.rca.conditions import condition_of
from whence.rca.evidence.before_after import before_after
from whence.rca.evidence.clean_start import clean_start
from whence.rca.evidence.data_profile import data_profile
from whence.rca.evidence.explained_share import explained_share
from whence.rca.evidence.lead_time import lead_time
from whence.rca.evidence.origin import origin
from whence.rca.evidence.overdue import overdue_by
from whence.rca.evidence.path_flow import path_flow
from whence.rca.evidence.same_time_contrast import same_time_contrast
from whence.rca.evidence.signal_fit import signal_fit
from whence.rca.evidence.withdrawal import withdrawal
from whence.rca.posterior import posterior
from whence.rca.ruling import rule_out
from whence.rca.scene import Scene, scene_of
from whence.rca.weights import DEFAULT_WEIGHTS, WEIGHTS_VERSION, RankWeights

PRECISION = 9
"""Decimals of a probability that count; what differs beyond is a tie."""
KINDS: tuple[Callable[[Candidate, Scene], Evidence | None], ...] = (
    lead_time,
    same_time_contrast,
    before_after,
    clean_start,
    explained_share,
    path_flow,
    origin,
    data_profile,
    overdue_by,
    signal_fit,
    withdrawal,
)


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
    scene = scene_of(ordered(case), weights)
    verdicts = [(one, rule_out(one, scene)) for one in scene.candidates]
    weighed = [weigh(one, scene) for one, ruled in verdicts if ruled is None]
    weighed.sort(key=lambda one: _stable_key(one.candidate))
    return _answer(scene, weighed, [ruled for _, ruled in verdicts if ruled is not None])


def weigh(candidate: Candidate, scene: Scene) -> Weighed:
    """All evidence on one candidate."""
    pieces = (measure(candidate, scene) for measure in KINDS)
    return Weighed(candidate, tuple(piece for piece in pieces if piece is not None))


def _answer(scene: Scene, weighed: Sequence[Weighed], ruled_out: Sequence[RuledOut]) -> Answer:
    case = scene.case
    condition = condition_of(scene, [one.candidate for one in weighed])
    result = posterior([one.nats for one in weighed], condition.nats if condition else 0.0, scene.weights)
    shares = [
        round(min(float(share), explain.cap(one.evidence, scene.weights)), PRECISION)
        for one, share in zip(weighed, result.changes, strict=True)
    ]
    suspects = _suspects(weighed, shares)
    none = NoneRow(round(result.none, PRECISION), explain.none_reasons(scene, suspects, condition))
    verdict = explain.verdict(scene, suspects, none)
    return Answer(
        as_of_ns=case.as_of_ns,
        symptom=case.incident.symptom,
        environment=case.incident.environment,
        verdict=verdict,
        headline=explain.headline(verdict, suspects),
        onset=scene.observed.onset,
        suspects=suspects[: case.incident.limit],
        none=none,
        ruled_out=tuple(sorted(ruled_out, key=lambda one: (one.reason, one.change.effective_ns, one.change.id))),
        completeness=completeness(scene),
        truncated=case.truncated or case.subgraph.truncated,
        weights_version=WEIGHTS_VERSION,
        inputs_hash=inputs_hash(case),
    )


def _suspects(weighed: Sequence[Weighed], shares: Sequence[float]) -> tuple[Suspect, ...]:
    """Cards, best first. Tied ones share a rank; among them the later change comes first."""
    links = links_of([one.candidate for one in weighed], shares)
    order = sorted(range(len(weighed)), key=lambda at: -shares[at])
    suspects: list[Suspect] = []
    for position, at in enumerate(order, start=1):
        tied = bool(suspects) and suspects[-1].probability == shares[at]
        suspects.append(_card(weighed[at], shares[at], links[at], suspects[-1].rank if tied else position))
    return tuple(suspects)


def _card(weighed: Weighed, probability: float, link: Link, rank: int) -> Suspect:
    change = weighed.candidate.change
    return Suspect(
        rank=rank,
        probability=probability,
        band=explain.band(probability),
        role=link.role,
        change=change,
        path=weighed.candidate.path,
        evidence=tuple(sorted(weighed.evidence, key=lambda one: (-abs(one.weight), one.code))),
        settle=explain.settle(weighed.candidate, weighed.evidence),
        owner=weighed.candidate.owner,
        links=(change.url,) if change.url else (),
        with_changes=link.with_changes,
    )


def _stable_key(candidate: Candidate) -> tuple[int, str, str, str]:
    change = candidate.change
    return (-change.effective_ns, change.kind.value, change.subject, change.id)
