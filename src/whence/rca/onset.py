"""When the symptom began, and in which signal it shows.

The onset is the change point of the bad share per bucket: the split that makes two binomial segments likeliest. Its
interval holds every split that is at most two nats worse. Traffic comes in lumps, so likelihoods are divided by the
overdispersion that the segments themselves show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whence.model.answer import Onset
from whence.model.incident import Incident
from whence.model.kinds import Signal
from whence.model.times import NS_PER_SECOND
from whence.rca.columns import Floats, Ints, sum_by
from whence.rca.requests import Requests

MIN_GAIN_NATS = 6.0
"""A split must beat "nothing changed" by this much to count as an onset."""
INTERVAL_NATS = 2.0
GIVEN_SLACK_S = 60
"""A stated onset is trusted, but people round to the minute."""
UNNOTICED_S = 180
"""Mean time from onset to detection where the data show no onset."""
UNNOTICED_MOST_S = 1800
_PREFERENCE = (Signal.ERRORS, Signal.QUALITY, Signal.LATENCY)


@dataclass(frozen=True, slots=True)
class Observed:
    """The symptom as the data show it."""

    signal: Signal
    onset: Onset
    found: bool
    """Whether the data show a change point; else the onset is assumed."""
    rate_before: float
    rate_after: float

    def possible_onsets_ns(self) -> tuple[Floats, Floats]:
        """Instants at which it may have begun, and how likely each is.

        Normal around a change point; else exponential back from the detection, since alerts fire within minutes.
        """
        onset = self.onset
        if self.found:
            sigma = max((onset.high_ns - onset.low_ns) / 4, MIN_SIGMA_S * NS_PER_SECOND)
            return normal_around(onset.at_ns, sigma)
        ages = -np.log(1 - _LEVELS) * UNNOTICED_S * NS_PER_SECOND
        return onset.high_ns - ages, np.full(len(_LEVELS), 1 / len(_LEVELS))


_NORMAL_POINTS, _NORMAL_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_LEVELS = (np.arange(24) + 0.5) / 24
MIN_SIGMA_S = 15


def normal_around(at_ns: float, sigma_ns: float) -> tuple[Floats, Floats]:
    """Nine points of a normal distribution, with their probabilities."""
    return at_ns + sigma_ns * _NORMAL_POINTS, _NORMAL_WEIGHTS / _NORMAL_WEIGHTS.sum()


def observe(requests: Requests, incident: Incident) -> Observed:
    """Find the signal that moved most (unless one is given) and when it began.

    Args:
        requests: Requests into the symptom's service.
        incident: The question.
    """
    given = incident.symptom.signal
    signals = (given,) if given in _PREFERENCE else _PREFERENCE
    splits = [(signal, _split(requests, signal, incident.detected_ns)) for signal in signals]
    signal, best = max(splits, key=lambda item: item[1].gain)
    found = best.gain >= MIN_GAIN_NATS or incident.onset_ns is not None
    return Observed(
        signal=signal if given is None else given,
        onset=_onset(incident, best, found=found),
        found=found,
        rate_before=best.before,
        rate_after=best.after,
    )


@dataclass(frozen=True, slots=True)
class _Split:
    gain: float
    at_s: int
    low_s: int
    high_s: int
    before: float
    after: float


_NO_SPLIT = _Split(0.0, 0, 0, 0, 0.0, 0.0)


def _split(requests: Requests, signal: Signal, detected_ns: int) -> _Split:
    detected_s = detected_ns // NS_PER_SECOND
    rows = requests.everything[requests.start_s[requests.everything] <= detected_s]
    if not len(rows):
        return _NO_SPLIT
    starts, position = np.unique(requests.start_s[rows], return_inverse=True)
    bad = sum_by(position, requests.bad(signal, requests.baseline_until_s(detected_s))[rows], len(starts))
    total = sum_by(position, requests.total[rows], len(starts))
    return best_split(starts, bad, total, requests.bucket_s)


def best_split(starts: Ints, bad: Floats, total: Floats, bucket_s: int) -> _Split:
    """The likeliest rise of a bad share over buckets; no split when it never rises."""
    if len(starts) < 3:
        return _NO_SPLIT
    bad_before, total_before = np.cumsum(bad)[:-1], np.cumsum(total)[:-1]
    bad_after, total_after = bad.sum() - bad_before, total.sum() - total_before
    whole = float(_binomial(bad_before[-1:] + bad[-1:], total_before[-1:] + total[-1:])[0])
    gains = _binomial(bad_before, total_before) + _binomial(bad_after, total_after) - whole
    before, after = _share(bad_before, total_before), _share(bad_after, total_after)
    gains = np.where(after > before, gains, 0.0)
    best = int(np.argmax(gains))
    if gains[best] <= 0:
        return _NO_SPLIT
    spread = _overdispersion(bad, total, before[best], after[best], best)
    near = np.flatnonzero(gains / spread >= gains[best] / spread - INTERVAL_NATS)
    return _Split(
        gain=float(gains[best] / spread),
        at_s=int(starts[best + 1]),
        low_s=int(starts[near[0] + 1]) - bucket_s,
        high_s=int(starts[near[-1] + 1]) + bucket_s,
        before=float(before[best]),
        after=float(after[best]),
    )


def _onset(incident: Incident, split: _Split, *, found: bool) -> Onset:
    detected = incident.detected_ns
    if incident.onset_ns is not None:
        slack = GIVEN_SLACK_S * NS_PER_SECOND
        return Onset(incident.onset_ns, incident.onset_ns - slack, incident.onset_ns + slack)
    if not found:
        earliest = detected - UNNOTICED_MOST_S * NS_PER_SECOND
        return Onset(detected - UNNOTICED_S * NS_PER_SECOND, earliest, detected)
    at, low, high = (second * NS_PER_SECOND for second in (split.at_s, split.low_s, split.high_s))
    return Onset(min(at, detected), min(low, detected), min(high, detected))


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
