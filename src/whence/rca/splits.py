"""Change points: where a share of bad requests rose, or a count fell or rose.

Both maximise the likelihood of two segments over every split. The interval holds every split that is at most two nats
worse. Traffic comes in lumps, so likelihoods are divided by the overdispersion that the segments themselves show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from whence.rca.columns import Floats, Ints

INTERVAL_NATS = 2.0
MIN_BUCKETS = 3


@dataclass(frozen=True, slots=True)
class Split:
    """The likeliest split of a series; instants are in epoch seconds."""

    gain: float
    """Nats by which it beats "nothing changed"; 0 when there is none."""
    at_s: int = 0
    low_s: int = 0
    high_s: int = 0
    before: float = 0.0
    """Share, or requests in a bucket."""
    after: float = 0.0


NO_SPLIT = Split(0.0)


def best_rise(starts: Ints, bad: Floats, total: Floats, bucket_s: int, latest_s: float = math.inf) -> Split:
    """The likeliest rise of a bad share over buckets, up to ``latest_s``; no split when it never rises."""
    if len(starts) < MIN_BUCKETS:
        return NO_SPLIT
    bad_before, total_before = np.cumsum(bad)[:-1], np.cumsum(total)[:-1]
    bad_after, total_after = bad.sum() - bad_before, total.sum() - total_before
    whole = float(_binomial(bad_before[-1:] + bad[-1:], total_before[-1:] + total[-1:])[0])
    gains = _binomial(bad_before, total_before) + _binomial(bad_after, total_after) - whole
    before, after = _share(bad_before, total_before), _share(bad_after, total_after)
    gains = np.where((after > before) & (starts[1:] <= latest_s), gains, 0.0)
    best = int(np.argmax(gains))
    spread = _overdispersion(bad, total, before[best], after[best], best)
    return _split(starts, gains / spread, before, after, bucket_s)


def best_drop(starts: Ints, total: Floats, bucket_s: int) -> Split:
    """The likeliest fall of a count over buckets without gaps; no split when it never falls."""
    return _best_step(starts, total, bucket_s, sign=-1)


def best_surge(starts: Ints, total: Floats, bucket_s: int) -> Split:
    """The likeliest rise of a count over buckets without gaps; no split when it never rises."""
    return _best_step(starts, total, bucket_s, sign=1)


def _best_step(starts: Ints, total: Floats, bucket_s: int, *, sign: int) -> Split:
    if len(starts) < MIN_BUCKETS:
        return NO_SPLIT
    number = np.arange(1, len(starts))
    sums_before, sums_after = np.cumsum(total)[:-1], total.sum() - np.cumsum(total)[:-1]
    before, after = sums_before / number, sums_after / (len(starts) - number)
    gains = _poisson(sums_before, before) + _poisson(sums_after, after) - float(_poisson(total.sum(), total.mean()))
    gains = np.where(sign * (after - before) > 0, gains, 0.0)
    best = int(np.argmax(gains))
    expected = np.where(np.arange(len(starts)) <= best, before[best], after[best])
    squares = float((((total - expected) ** 2) / np.maximum(expected, 1.0)).sum())
    spread = max(1.0, squares / max(len(starts) - 2, 1))
    return _split(starts, gains / spread, before, after, bucket_s)


def _split(starts: Ints, gains: Floats, before: Floats, after: Floats, bucket_s: int) -> Split:
    best = int(np.argmax(gains))
    if gains[best] <= 0:
        return NO_SPLIT
    near = np.flatnonzero(gains >= gains[best] - INTERVAL_NATS)
    return Split(
        gain=float(gains[best]),
        at_s=int(starts[best + 1]),
        low_s=int(starts[near[0] + 1]) - bucket_s,
        high_s=int(starts[near[-1] + 1]) + bucket_s,
        before=float(before[best]),
        after=float(after[best]),
    )


def _poisson(total: Floats | float, mean: Floats | float) -> Floats:
    """Log likelihood of counts under their own mean, but for what all splits share."""
    result: Floats = total * np.log(np.maximum(mean, 1e-300))
    return result


def _binomial(bad: Floats, total: Floats) -> Floats:
    """Log likelihood of counts under their own share."""
    share = _share(bad, total)
    good = np.maximum(total - bad, 0.0)
    tiny = 1e-300
    result: Floats = bad * np.log(np.maximum(share, tiny)) + good * np.log(np.maximum(1.0 - share, tiny))
    return result


def _share(bad: Floats, total: Floats) -> Floats:
    result: Floats = np.clip(bad / np.maximum(total, 1e-9), 0.0, 1.0)
    return result


def _overdispersion(bad: Floats, total: Floats, before: float, after: float, split: int) -> float:
    """Variance of the counts around their segment's share, relative to a binomial; at least 1."""
    expected_share = np.where(np.arange(len(total)) <= split, before, after)
    variance = total * expected_share * (1 - expected_share)
    usable = variance > 0.25
    if usable.sum() < 4:
        return 1.0
    squares = (bad - total * expected_share)[usable] ** 2 / variance[usable]
    return max(1.0, float(squares.sum() / (usable.sum() - 2)))
