"""Places where trouble begins although nothing is known to have changed there.

A provider that fails, load, a full disk, an unrecorded change: whatever it is, it has the same right to be guilty as a
change at a place that moved as much. It adds to "none". Where "none" wins, the places are named, the one that moved
most first: no one can take them back, but that is where to look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from whence.model.change import Change
from whence.model.kinds import ChangeKind
from whence.model.times import NS_PER_SECOND
from whence.rca.behaviour import Movement
from whence.rca.candidates import Candidate
from whence.rca.evidence.origin import MIN_RIGHT_BUCKETS, MOVED_SCORE, SLACK_S, describe, movement_nats
from whence.rca.scene import Scene

SOURCE = "behaviour"
"""``Change.source`` of a place that is named though no change of it is known."""
MIN_SCORE = 1.0
MOST_PLACES = 5


@dataclass(frozen=True, slots=True)
class Condition:
    """A place that moved for no recorded reason."""

    movement: Movement
    nats: float
    """In favour of "none"."""

    @property
    def sentence(self) -> str:
        """What moved, for people."""
        name = self.movement.place.partition("#")[2] or self.movement.place
        return f"nothing is known to have changed at {name}, where trouble shows: {describe(self.movement)}"

    def as_change(self) -> Change:
        """The place in the form of a suspect: what happened there is unknown, when it showed is not."""
        at_ns = self.movement.at_s * NS_PER_SECOND
        place = self.movement.place
        return Change(
            id=f"place-{hashlib.sha256(place.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}",
            kind=ChangeKind.OTHER,
            subject=place,
            effective_ns=at_ns,
            known_ns=at_ns,
            reported_ns=at_ns,
            summary=self.sentence,
            source=SOURCE,
            recorded=False,
        )


def condition_of(scene: Scene, suspects: Iterable[Candidate]) -> Condition | None:
    """The place that moved most around the onset, if no suspect lies there; None if one does, or nothing moved much."""
    if not scene.observed.found:
        return None
    first = next(iter(conditions_of(scene)), None)
    if first is None or first.movement.score < MOVED_SCORE:
        return None
    return None if any(first.movement.place in one.carriers for one in suspects) else first


def conditions_of(scene: Scene) -> list[Condition]:
    """Places that moved around the onset, or at any time when there is none; the one that moved most first."""
    behaviour = scene.behaviour
    start, end = _splits(scene)
    window = np.nan_to_num(behaviour.scores[:, start:end], nan=-np.inf)
    if not window.size:
        return []
    best = window.max(axis=1)
    order = [int(number) for number in np.argsort(-best, kind="stable")[:MOST_PLACES] if best[number] >= MIN_SCORE]
    found = []
    for number in order:
        movement = behaviour.movement(behaviour.places[number], start + int(np.argmax(window[number])))
        nats = movement_nats(movement.score, loudest=float(best[order[0]]), silent=False)
        found.append(Condition(movement, nats))
    return found


def _splits(scene: Scene) -> tuple[int, int]:
    clock, onset = scene.behaviour.clock, scene.observed.onset
    if not scene.observed.found:
        return MIN_RIGHT_BUCKETS, clock.count - 1
    start = clock.split_at(onset.low_ns // NS_PER_SECOND - SLACK_S)
    return start, min(clock.split_at(onset.high_ns // NS_PER_SECOND + clock.bucket_s), clock.count - 1) + 1
