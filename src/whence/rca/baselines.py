"""Nine trivial rankings with one interface. Every evaluation prints them beside ours.

If ours is not clearly ahead of all of them, the data are too easy or ours is wrong. Scores of one value are ties.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.case import Case
from whence.rca.scene import Scene, scene_of
from whence.rca.weights import DEFAULT_WEIGHTS

Scores = Mapping[str, float]
"""Greater is likelier, by change id; changes that are absent were not ranked. Empty abstains."""

_DECAY_NS = 30 * 60 * NS_PER_SECOND
_RESTART = 0.15
_ROUNDS = 30


def latest(case: Case) -> Scores:
    """The later a change, the likelier."""
    return _score(case, lambda one, _: float(one.change.effective_ns))


def latest_on_path(case: Case) -> Scores:
    """The same among changes whose place requests of the symptom went through."""
    return _score(case, lambda one, scene: float(one.change.effective_ns) if len(scene.through(one)) else None)


def decay(case: Case) -> Scores:
    """Recency that halves every 20 minutes, plus nearness in the graph."""
    detected = case.incident.detected_ns
    return _score(case, lambda one, _: math.exp(-(detected - one.change.effective_ns) / _DECAY_NS) + one.strength)


def ochiai(case: Case) -> Scores:
    """Spectrum formula: bad requests through the place, over the geometric mean of all bad and all through it."""

    def formula(bad_through: float, good_through: float, bad_elsewhere: float) -> float:
        product = (bad_through + bad_elsewhere) * (bad_through + good_through)
        return bad_through / math.sqrt(product) if product > 0 else 0.0

    return _spectrum(case, formula)


def dstar2(case: Case) -> Scores:
    """Spectrum formula: bad requests through the place, squared, over good ones there and bad ones elsewhere."""

    def formula(bad_through: float, good_through: float, bad_elsewhere: float) -> float:
        return bad_through**2 / max(good_through + bad_elsewhere, 1e-9)

    return _spectrum(case, formula)


def rwr(case: Case) -> Scores:
    """A random walk from the symptom along calls, weighted by traffic, that restarts now and then."""
    scene = scene_of(case, DEFAULT_WEIGHTS)
    places = list(scene.topology.reach)
    number = {place: at for at, place in enumerate(places)}
    weights = np.zeros((len(places), len(places)))
    for relation in case.subgraph.relations:
        src, dst = scene.topology.base(relation.key.src), scene.topology.base(relation.key.dst)
        if src in number and dst in number and src != dst:
            weights[number[src], number[dst]] = 1.0
    for row in case.edges:
        src, dst = scene.topology.base(row.relation.src), scene.topology.base(row.relation.dst)
        if src in number and dst in number and src != dst:
            weights[number[src], number[dst]] += row.calls
    total = weights.sum(axis=1, keepdims=True)
    steps = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    restart = np.zeros(len(places))
    restart[number[scene.topology.symptom]] = 1.0
    visits = restart
    for _ in range(_ROUNDS):
        visits = _RESTART * restart + (1 - _RESTART) * visits @ steps
    return _score(case, lambda one, _: max(float(visits[number[base]]) for base in one.bases))


def robust_z(case: Case) -> Scores:
    """The place that moved most since the onset, whenever the change was made."""

    def strongest(one: Candidate, scene: Scene) -> float | None:
        behaviour = scene.behaviour
        onset = behaviour.clock.split_at(scene.observed.onset.at_ns // NS_PER_SECOND)
        known = [behaviour.of(place)[onset] for place in one.carriers if behaviour.known(place)[onset]]
        return float(max(known, default=0.0))

    return _score(case, strongest)


def none_always(_case: Case) -> Scores:
    """Never blames anything."""
    return {}


def random(case: Case) -> Scores:
    """Everything alike: the expected result of drawing lots."""
    return _score(case, lambda one, _: 0.0)


BASELINES: Mapping[str, Callable[[Case], Scores]] = MappingProxyType(
    {
        "latest": latest,
        "latest-on-path": latest_on_path,
        "decay": decay,
        "ochiai": ochiai,
        "dstar2": dstar2,
        "rwr": rwr,
        "robust-z": robust_z,
        "none-always": none_always,
        "random": random,
    }
)


def _score(case: Case, score: Callable[[Candidate, Scene], float | None]) -> Scores:
    """One score for each change that took effect before the detection; None leaves it out."""
    scene = scene_of(case, DEFAULT_WEIGHTS)
    early = [one for one in scene.candidates if one.change.effective_ns <= case.incident.detected_ns]
    scores = {one.change.id: score(one, scene) for one in early}
    return {change_id: value for change_id, value in scores.items() if value is not None}


def _spectrum(case: Case, formula: Callable[[float, float, float], float]) -> Scores:
    def score(one: Candidate, scene: Scene) -> float:
        onset_ns = scene.observed.onset.low_ns
        bad, total = scene.meeting(one).between(onset_ns)
        everything = scene.tallies.everything.between(onset_ns)
        return formula(bad, max(total - bad, 0.0), max(everything.bad - bad, 0.0))

    return _score(case, score)
