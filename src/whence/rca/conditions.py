"""What speaks for "none of them": a place where trouble begins although nothing is known to have changed there.

A provider that fails, load, a full disk, an unrecorded change: whatever it is, it has the same right to be guilty as a
change at a place that moved as much. It isn't ranked, since nobody could take it back; it adds to "none" instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from whence.model.times import NS_PER_SECOND
from whence.rca.behaviour import Movement
from whence.rca.candidates import Candidate
from whence.rca.evidence.origin import MOVED_SCORE, SLACK_S, describe, movement_nats
from whence.rca.scene import Scene


@dataclass(frozen=True, slots=True)
class Condition:
    """A place that moved at the onset for no recorded reason."""

    movement: Movement
    nats: float
    """In favour of "none"."""

    @property
    def sentence(self) -> str:
        """What moved, for people."""
        name = self.movement.place.partition("#")[2] or self.movement.place
        return f"nothing is known to have changed at {name}, where trouble shows: {describe(self.movement)}"


def condition_of(scene: Scene, suspects: Iterable[Candidate]) -> Condition | None:
    """The place that moved most around the onset, if no suspect lies there; None if one does, or nothing moved much."""
    behaviour, onset = scene.behaviour, scene.observed.onset
    clock = behaviour.clock
    if not scene.observed.found or not len(behaviour.places):
        return None
    start = clock.split_at(onset.low_ns // NS_PER_SECOND - SLACK_S)
    end = min(clock.split_at(onset.high_ns // NS_PER_SECOND + clock.bucket_s), clock.count - 1) + 1
    window = np.nan_to_num(behaviour.scores[:, start:end], nan=-np.inf)
    if not window.size or window.max() < MOVED_SCORE:
        return None
    number, split = np.unravel_index(int(np.argmax(window)), window.shape)
    place = behaviour.places[int(number)]
    if any(place in one.carriers for one in suspects):
        return None
    movement = behaviour.movement(place, start + int(split))
    return Condition(movement, movement_nats(movement.score, loudest=movement.score, silent=False))
