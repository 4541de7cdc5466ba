"""More requests than before, from the onset on: a condition that breaks things without any change of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from whence.model.times import NS_PER_SECOND
from whence.rca.columns import sum_by
from whence.rca.scene import Scene
from whence.rca.splits import MIN_BUCKETS, NO_SPLIT, Split, best_surge

MIN_RATIO = 1.5
"""Ordinary traffic swings by as much within minutes."""
NATS_PER_FOLD, MOST_NATS = 5.0, 3.5
"""In favour of "none", for each e-fold beyond that; at most."""
MIN_GAIN_NATS = 6.0
BEFORE_S, AFTER_S = 300, 180
"""Around the onset: what the usual load was, and whether it lasts. Traffic that only drifts moves little meanwhile."""
USUAL_S = 150
"""So much must be known of the time before, or nobody knows what is usual."""
BUILD_UP_S = 120
"""Load may rise for so long before it hurts; what rises only afterwards are retries."""


@dataclass(frozen=True, slots=True)
class Surge:
    """Requests into the symptom that rose as it began to hurt."""

    before: float
    """Requests a minute."""
    after: float

    @property
    def nats(self) -> float:
        """In favour of "none": load breaks things by itself, and seldom rises just as something else does."""
        return min(NATS_PER_FOLD * math.log(self.after / max(self.before, 1e-9) / MIN_RATIO), MOST_NATS)

    @property
    def sentence(self) -> str:
        """What rose, for people."""
        return f"requests rose from {self.before:.3g} to {self.after:.3g} a minute just then: it may be the load"


def surge_of(scene: Scene) -> Surge | None:
    """The rise of load at the onset; None when there was none, or no onset."""
    if not scene.observed.found:
        return None
    onset = scene.observed.onset
    low_s, high_s = onset.low_ns // NS_PER_SECOND, onset.high_ns // NS_PER_SECOND
    split = _split(scene, low_s - BEFORE_S, high_s + AFTER_S)
    if split.gain < MIN_GAIN_NATS or split.after < MIN_RATIO * split.before:
        return None
    known_s = split.at_s - int(scene.requests.start_s.min())
    if known_s < USUAL_S or not low_s - BUILD_UP_S <= split.at_s <= high_s:
        return None
    a_minute = 60 / scene.requests.bucket_s
    return Surge(split.before * a_minute, split.after * a_minute)


def _split(scene: Scene, from_s: int, to_s: int) -> Split:
    """The likeliest rise over whole buckets in a stretch of time; a sampled request counts once, not for its like."""
    requests, bucket_s = scene.requests, scene.requests.bucket_s
    to_s = min(to_s, scene.case.as_of_ns // NS_PER_SECOND)
    rows = requests.everything
    rows = rows[(requests.start_s[rows] >= from_s) & (requests.start_s[rows] + bucket_s <= to_s)]
    if not len(rows):
        return NO_SPLIT
    first, last = int(requests.start_s[rows].min()), int(requests.start_s[rows].max())
    buckets = (last - first) // bucket_s + 1
    if buckets < MIN_BUCKETS:
        return NO_SPLIT
    starts = first + bucket_s * np.arange(buckets, dtype=np.int64)
    total = sum_by((requests.start_s[rows] - first) // bucket_s, requests.total[rows], buckets)
    sampled = requests.total_sq[rows].sum() / max(float(requests.total[rows].sum()), 1e-9)
    found = best_surge(starts, total / max(sampled, 1.0), bucket_s)
    return replace(found, before=found.before * max(sampled, 1.0), after=found.after * max(sampled, 1.0))
