"""Whether the changed place itself moved, and when; or only what it depends on, or nothing at all.

Bystanders are mostly quiet, but now and then they sit where somebody else's trouble passes; guilty changes mostly show
at their own place, but some fail silently. Both are mixtures, and the weight is the ln of their ratio. Of several
places that moved, the one that moved most is likeliest to be where it began. A place that moved before the change took
effect exonerates it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind
from whence.model.times import NS_PER_SECOND
from whence.rca.behaviour import Movement
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import clip, evidence, percent
from whence.rca.scene import Scene

CODE = "origin"
QUIET = (1.0, 0.7)
"""Mean and spread of the score of a place that is not touched."""
LOUD = (5.0, 3.0)
SILENT_GUILTY, SILENT_GUILTY_DATA = 0.4, 0.5
"""Share of guilty changes that don't show at their place; data and models often fail with wrong values only."""
LOUD_BYSTANDER = 0.03
HANDED_ON = frozenset({ChangeKind.DATASET, ChangeKind.SCHEMA, ChangeKind.STALENESS})
HANDED_ON_NATS = 1.0
"""At most for errors at who works with the data, for many data lie upstream of each failing place; and for trouble at
an outside host that the place calls, for mostly that is the host's own."""
COMPARED_WEIGHT = 1.5
LOW_NATS, HIGH_NATS = -2.0, 3.0
MOVED_SCORE = 3.0
EARLIER_FACTOR = 1.25
EARLIER_NATS = -1.5
MIN_RIGHT_BUCKETS = 2
SLACK_S = 60
"""Clocks and reports are not exact: a movement this much before the change still fits it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The strongest movement at a candidate's place since it took effect."""

    movement: Movement
    loudest: float
    """Score of the place that moved most in the same time."""
    earlier: bool
    """Whether the place moved clearly more before the change took effect."""


def moved(candidate: Candidate, scene: Scene) -> Moved | None:
    """Look at every split from the change's own time on, up to the onset; None without data on both sides."""
    behaviour = scene.behaviour
    clock = behaviour.clock
    latest_ns = scene.observed.onset.high_ns if scene.observed.found else scene.case.incident.detected_ns
    start = clock.split_at(candidate.acts_ns // NS_PER_SECOND - SLACK_S)
    end = min(clock.split_at(latest_ns // NS_PER_SECOND + clock.bucket_s), clock.count - MIN_RIGHT_BUCKETS) + 1
    places = [place for place in candidate.carriers if behaviour.known(place)[start:end].any()]
    if not places:
        return None
    place = max(
        (*places, *_handed_on(candidate, scene, start, end), *_asked_outside(candidate, scene, start, end)),
        key=lambda one: float(np.nanmax(behaviour.of(one)[start:end])),
    )
    scores = behaviour.of(place)
    split = start + int(np.nanargmax(scores[start:end]))
    before = np.nan_to_num(scores[:start], nan=-math.inf).max(initial=-math.inf)
    return Moved(
        movement=behaviour.movement(place, split),
        loudest=float(np.nanmax(behaviour.scores[:, start:end])),
        earlier=bool(before > MOVED_SCORE and before > EARLIER_FACTOR * scores[split]),
    )


def _handed_on(candidate: Candidate, scene: Scene, start: int, end: int) -> list[str]:
    """Who fails with what the change's own place handed out: wrong data pass through their reader in silence."""
    if candidate.change.kind not in HANDED_ON:
        return []
    behaviour = scene.behaviour
    callers = {caller for place in candidate.carriers for caller in scene.topology.callers(place)}
    return [
        one
        for one in sorted(callers)
        if behaviour.known(one)[start:end].any()
        and behaviour.movement(one, start + int(np.nanargmax(behaviour.of(one)[start:end]))).facet in ("errors", "poor")
    ]


def _asked_outside(candidate: Candidate, scene: Scene, start: int, end: int) -> list[str]:
    """Who tells nothing and is called from there: what the change asks them for may be why they fail."""
    behaviour, topology = scene.behaviour, scene.topology
    called = {callee for place in candidate.carriers for callee in topology.outside(place)}
    return [one for one in sorted(called) if behaviour.known(one)[start:end].any()]


def origin(candidate: Candidate, scene: Scene) -> Evidence | None:
    """The movement as evidence; None without data on both sides of the change."""
    found = moved(candidate, scene)
    if found is None:
        return None
    movement = found.movement
    silent = scene.weights.priors[candidate.change.kind].silent
    weight = EARLIER_NATS if found.earlier else movement_nats(movement.score, loudest=found.loudest, silent=silent)
    if movement.place not in candidate.carriers:
        weight = min(weight, HANDED_ON_NATS)
    data = {
        "place": movement.place,
        "facet": movement.facet,
        "of": movement.what,
        "before": movement.before,
        "after": movement.after,
        "score": movement.score,
        "loudest": found.loudest,
    }
    return evidence(CODE, weight, _sentence(found), data)


def movement_nats(score: float, *, loudest: float, silent: bool) -> float:
    """Nats for a guilty change at a place that moved this much.

    Args:
        score: Of the place.
        loudest: Of the place that moved most.
        silent: Whether such changes tend to fail without showing at their place.
    """
    weight = _mixture(score, SILENT_GUILTY_DATA if silent else SILENT_GUILTY)
    if weight > 0:
        weight += COMPARED_WEIGHT * math.log((score + 1) / (max(loudest, score) + 1))
    return clip(weight, LOW_NATS, HIGH_NATS)


def _mixture(score: float, silent: float) -> float:
    quiet = _normal(score, QUIET) if score > QUIET[0] else 1 / QUIET[1]
    loud = _normal(score, LOUD) if score < LOUD[0] else 1 / LOUD[1]
    return math.log(silent * quiet + (1 - silent) * loud) - math.log(
        (1 - LOUD_BYSTANDER) * quiet + LOUD_BYSTANDER * loud
    )


def _normal(value: float, shape: tuple[float, float]) -> float:
    mean, spread = shape
    return math.exp(-0.5 * ((value - mean) / spread) ** 2) / spread


def _sentence(found: Moved) -> str:
    movement = found.movement
    if found.earlier:
        return "The place was off before this took effect."
    if movement.score < MOVED_SCORE:
        return "The place itself behaved as before: its own time, its calls and its errors hardly moved."
    rank = "more than any other place" if movement.score >= found.loudest else "though another place moved more"
    moved_how = describe(movement)
    return f"{moved_how[0].upper()}{moved_how[1:]}, {rank}."


def describe(movement: Movement) -> str:
    """What moved and by how much, as the beginning of a sentence."""
    before, after = movement.before, movement.after
    match movement.facet:
        case "own_time":
            return f"its own time in {movement.what} went from {before:.3g} to {after:.3g} ms"
        case "way_in":
            return f"time lost on the way into it went from {before:.3g} to {after:.3g} ms"
        case "way_out":
            return f"time lost on its calls went from {before:.3g} to {after:.3g} ms"
        case "calls_made":
            return f"calls of {movement.what} for each of its requests went from {before:.2g} to {after:.2g}"
        case "poor":
            return f"poor outcomes there went from {percent(before)} to {percent(after)} of its requests"
        case _:
            return f"errors that begin there went from {percent(before)} to {percent(after)} of its requests"
