"""What each thing runs at every instant: versions that replace one another, at once, in steps, or for a part only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Rollout:
    """One version on its way. ``thing`` is the wire reference of what runs it."""

    change_id: str
    kind: str
    """Kind of change in the words of the API."""
    thing: str
    version: str
    previous: str
    start_ns: int
    ramp_ns: int = 0
    """From nothing to ``share``."""
    share: float = 1.0
    """Where it stops."""
    until_ns: int | None = None
    """When it was taken back; None if it wasn't."""

    def share_at(self, at_ns: int) -> float:
        """Share of the traffic that meets it."""
        if at_ns < self.start_ns or (self.until_ns is not None and at_ns >= self.until_ns):
            return 0.0
        if at_ns >= self.start_ns + self.ramp_ns:
            return self.share
        return self.share * (at_ns - self.start_ns) / self.ramp_ns


class Timeline:
    """All versions of one thing."""

    def __init__(self, first: str, rollouts: Iterable[Rollout]) -> None:
        self._first = first
        self._rollouts = sorted(rollouts, key=lambda one: one.start_ns)
        self._starts = [one.start_ns for one in self._rollouts]

    def version(self, at_ns: int, place: float) -> str:
        """What a request meets; the lower its ``place`` in [0, 1), the sooner it meets new versions."""
        for at in range(bisect_right(self._starts, at_ns) - 1, -1, -1):
            rollout = self._rollouts[at]
            if place < rollout.share_at(at_ns):
                return rollout.version
        return self._first


class Timelines(NamedTuple):
    """By reference: what things run, and what telemetry says that they run. Both are the same but for the control."""

    actual: Mapping[str, Timeline]
    shown: Mapping[str, Timeline]
