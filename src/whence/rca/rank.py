"""From a case to an answer: gather candidates, rule some out, weigh the rest, and let them compete with "none"."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whence.model.answer import Answer, NoneRow, RuledOut, Suspect, Verdict
from whence.model.times import NS_PER_SECOND
from whence.rca import explain
from whence.rca.canonical import inputs_hash, ordered
from whence.rca.case import Case
from whence.rca.chains import Link, links_of
from whence.rca.completeness import completeness
from whence.rca.conditions import condition_of
from whence.rca.load import surge_of
from whence.rca.pairs import paired
from whence.rca.places import with_places
from whence.rca.posterior import posterior, rounded_down
from whence.rca.ruling import outnumbered, rule_out, ruled_out_by_evidence
from whence.rca.scene import Scene, scene_of
from whence.rca.weighing import MOST_CANDIDATES, Weighed, by_timing, stable_key, weigh
from whence.rca.weights import DEFAULT_WEIGHTS, WEIGHTS_VERSION, RankWeights

SHORTLY_NS = 15 * 60 * NS_PER_SECOND


def rank(case: Case, weights: RankWeights = DEFAULT_WEIGHTS) -> Answer:
    """Rank the changes upstream of the symptom by how likely each caused the incident.

    Deterministic, and independent of the order of rows, of names and of ids: those only order what is tied.

    Cost: O(rows) for the columns, then O(candidates x rows of the candidate); no I/O.
    """
    scene = scene_of(ordered(case), weights)
    ruled_out = [ruled for one in scene.candidates if (ruled := rule_out(one, scene)) is not None]
    excluded = {one.change.id for one in ruled_out}
    running = [one for one in scene.candidates if one.change.id not in excluded]
    if len(running) > MOST_CANDIDATES:
        running = by_timing(running, scene)
    ruled_out += [outnumbered(one) for one in running[MOST_CANDIDATES:]]
    weighed = []
    for one in (weigh(candidate, scene) for candidate in running[:MOST_CANDIDATES]):
        ruled = ruled_out_by_evidence(one)
        if ruled is None:
            weighed.append(one)
        else:
            ruled_out.append(ruled)
    weighed.sort(key=lambda one: stable_key(one.candidate))
    return _answer(scene, paired(weighed, scene), ruled_out)


def _answer(scene: Scene, weighed: Sequence[Weighed], ruled_out: Sequence[RuledOut]) -> Answer:
    case = scene.case
    conditions = [
        one for one in (condition_of(scene, [one.candidate for one in weighed]), surge_of(scene)) if one is not None
    ]
    rivals = scene.weights.none_for_rivals * math.log1p(_rivals(weighed, scene))
    against = rivals + sum(one.nats for one in conditions)
    result = posterior([one.nats for one in weighed], against, scene.weights)
    shares = [
        rounded_down(min(float(share), explain.cap(one.evidence, scene.weights)))
        for one, share in zip(weighed, result.changes, strict=True)
    ]
    suspects = _suspects(weighed, shares)
    none = NoneRow(
        rounded_down(result.none), explain.none_reasons(scene, suspects, [one.sentence for one in conditions])
    )
    verdict = explain.verdict(scene, suspects, none)
    headline = explain.headline(verdict, suspects)
    if verdict is Verdict.NONE:
        suspects, none = with_places(scene, suspects, none)
    return Answer(
        as_of_ns=case.as_of_ns,
        symptom=case.incident.symptom,
        environment=case.incident.environment,
        verdict=verdict,
        headline=headline,
        onset=scene.observed.onset,
        suspects=suspects[: case.incident.limit],
        none=none,
        ruled_out=tuple(sorted(ruled_out, key=lambda one: (one.reason, one.change.effective_ns, one.change.id))),
        completeness=completeness(scene),
        truncated=case.truncated or case.subgraph.truncated,
        weights_version=WEIGHTS_VERSION,
        inputs_hash=inputs_hash(case),
    )


def _rivals(weighed: Sequence[Weighed], scene: Scene) -> int:
    """Changes shortly before the onset: one of so many fits in time by chance."""
    onset_ns = scene.observed.onset.at_ns
    return sum(onset_ns - SHORTLY_NS < one.candidate.acts_ns <= onset_ns for one in weighed)


def _suspects(weighed: Sequence[Weighed], shares: Sequence[float]) -> tuple[Suspect, ...]:
    """Cards, best first. Tied ones share a rank; among them the later change comes first."""
    links = links_of(weighed, shares)
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
        links=(change.url,) if change.url else (),
        with_changes=link.with_changes,
    )
