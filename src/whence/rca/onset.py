"""When the symptom began, and in which signal it shows.

The onset is the change point of the bad share per bucket, or of the number of requests where no share moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from whence.model.answer import Onset
from whence.model.incident import Incident
from whence.model.kinds import Signal
from whence.model.times import NS_PER_SECOND
from whence.rca.columns import Floats, Ints, sum_by
from whence.rca.requests import Requests
from whence.rca.splits import NO_SPLIT, Split, best_drop, best_rise

MIN_GAIN_NATS = 6.0
"""A split must beat "nothing changed" by this much to count as an onset."""
MIN_GAIN_TOLD_NATS = 3.5
"""In the signal that somebody complained about: they didn't do so for nothing."""
GIVEN_SLACK_S = 60
"""A stated onset is trusted, but people round to the minute."""
UNNOTICED_S = 180
"""Mean time from onset to detection where the data show no onset."""
UNNOTICED_MOST_S = 1800
MAX_REMAINDER = 0.5
"""Of the usual traffic: volume that fell less than this far is no symptom by itself."""
UNSETTLED_S = 180
"""Telemetry arrives late: requests that are missing for less than this may still be on their way."""
_SHARES = (Signal.ERRORS, Signal.QUALITY, Signal.LATENCY)


@dataclass(frozen=True, slots=True)
class Observed:
    """The symptom as the data show it."""

    signal: Signal
    onset: Onset
    found: bool
    """Whether the data show a change point; else the onset is assumed."""
    rate_before: float
    """Share of bad requests before the onset."""

    def possible_onsets_ns(self, slack_ns: int = 0) -> tuple[Floats, Floats]:
        """Instants at which it may have begun, and how likely each is.

        Normal around a change point; else exponential back from the detection, since alerts fire within minutes.

        Args:
            slack_ns: How far off the clock may be that they are compared with, as a standard deviation.
        """
        onset = self.onset
        if self.found:
            sigma = max((onset.high_ns - onset.low_ns) / 4, MIN_SIGMA_S * NS_PER_SECOND)
            return normal_around(onset.at_ns, math.hypot(sigma, slack_ns))
        ages = -np.log(1 - _LEVELS) * UNNOTICED_S * NS_PER_SECOND
        return onset.high_ns - ages, np.full(len(_LEVELS), 1 / len(_LEVELS))


_NORMAL_POINTS, _NORMAL_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_LEVELS = (np.arange(24) + 0.5) / 24
MIN_SIGMA_S = 5


def normal_around(at_ns: float, sigma_ns: float) -> tuple[Floats, Floats]:
    """Nine points of a normal distribution, with their probabilities."""
    return at_ns + sigma_ns * _NORMAL_POINTS, _NORMAL_WEIGHTS / _NORMAL_WEIGHTS.sum()


def observe(requests: Requests, incident: Incident, logged: Split = NO_SPLIT) -> Observed:
    """Find the signal that moved most (unless one is given) and when it began.

    Args:
        requests: Requests into the symptom's service.
        incident: The question.
        logged: When the service began to log errors; it counts where requests show no onset.
    """
    given, detected_s = incident.symptom.signal, incident.detected_ns // NS_PER_SECOND
    signals = (given,) if given in _SHARES else () if given is Signal.VOLUME else _SHARES
    splits = [(signal, _rise(requests, signal, detected_s)) for signal in signals]
    signal, best = max(splits, key=lambda item: item[1].gain, default=(Signal.VOLUME, NO_SPLIT))
    if best.gain < MIN_GAIN_NATS and given in (None, Signal.VOLUME):
        drop = _drop(requests, detected_s)
        settled = given is Signal.VOLUME or detected_s - drop.at_s >= UNSETTLED_S
        if settled and drop.after < MAX_REMAINDER * drop.before and drop.gain > best.gain:
            signal, best = Signal.VOLUME, drop
    if max(best.gain, MIN_GAIN_NATS) < logged.gain and given in (None, Signal.ERRORS) and best.gain < MIN_GAIN_NATS:
        signal, best = Signal.ERRORS, replace(logged, before=0.0)
    found = best.gain >= (MIN_GAIN_NATS if given is None else MIN_GAIN_TOLD_NATS) or incident.onset_ns is not None
    return Observed(
        signal=signal if given is None else given,
        onset=_onset(incident, best, found=found),
        found=found,
        rate_before=0.0 if signal is Signal.VOLUME else best.before,
    )


def _rise(requests: Requests, signal: Signal, detected_s: int) -> Split:
    """The clearer of the rise as it was seen at the detection, and as it is seen now.

    An alert may fire on a few requests, and those that follow tell more; unless the trouble was mended since.
    """
    bad = requests.bad(signal, requests.baseline_until_s(detected_s))
    by_then = requests.everything[requests.start_s[requests.everything] <= detected_s]
    rises = [_rise_over(rows, bad, requests, detected_s) for rows in (by_then, requests.everything)]
    return max(rises, key=lambda one: one.gain)


def _rise_over(rows: Ints, bad: Floats, requests: Requests, latest_s: int) -> Split:
    if not len(rows):
        return NO_SPLIT
    starts, position = np.unique(requests.start_s[rows], return_inverse=True)
    bad, total = (sum_by(position, counts[rows], len(starts)) for counts in (bad, requests.total))
    return best_rise(starts, bad, total, requests.bucket_s, latest_s)


def _drop(requests: Requests, detected_s: int) -> Split:
    """Over all whole buckets before the detection, also those without any request."""
    rows = requests.everything[requests.start_s[requests.everything] + requests.bucket_s <= detected_s]
    if not len(rows):
        return NO_SPLIT
    first = int(requests.start_s[rows].min())
    position = (requests.start_s[rows] - first) // requests.bucket_s
    buckets = (detected_s - first) // requests.bucket_s
    starts = first + requests.bucket_s * np.arange(buckets, dtype=np.int64)
    return best_drop(starts, sum_by(position, requests.total[rows], buckets), requests.bucket_s)


def _onset(incident: Incident, split: Split, *, found: bool) -> Onset:
    detected = incident.detected_ns
    if incident.onset_ns is not None:
        slack = GIVEN_SLACK_S * NS_PER_SECOND
        return Onset(incident.onset_ns, incident.onset_ns - slack, incident.onset_ns + slack)
    if not found:
        earliest = detected - UNNOTICED_MOST_S * NS_PER_SECOND
        return Onset(detected - UNNOTICED_S * NS_PER_SECOND, earliest, detected)
    at, low, high = (second * NS_PER_SECOND for second in (split.at_s, split.low_s, split.high_s))
    return Onset(min(at, detected), min(low, detected), min(high, detected))
