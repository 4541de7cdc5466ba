"""How well the time between a change and the onset fits its kind: the prior of the competing risks."""

from __future__ import annotations

import math

import numpy as np

from whence.model.answer import Evidence, Onset
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import evidence
from whence.rca.weights import SLOW_LEAD_HOURS, SLOW_SPREAD, KindPrior, RankWeights

CODE = "lead_time"
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()
MIN_SIGMA_HOURS = 1 / 60
_FLOOR_PER_HOUR = 1e-6
REPEAT_WEIGHT = 4.0
"""Changes of one subject that count as much as the prior; a pipeline that refreshes hourly teaches itself down."""


def lead_time(candidate: Candidate, onset: Onset, weights: RankWeights, repeats: int) -> Evidence:
    """Ln of the candidate's incident rate at the onset over the rate of unexplained incidents.

    Args:
        candidate: The change.
        onset: When the symptom began, with its interval.
        weights: Rates and lead times by kind.
        repeats: Other changes of the same subject and kind in the time looked at.
    """
    prior = weights.priors[candidate.change.kind]
    rate = prior.rate * REPEAT_WEIGHT / (REPEAT_WEIGHT + repeats)
    hours = (onset.at_ns - candidate.acts_ns) / (3600 * NS_PER_SECOND)
    sigma = max((onset.high_ns - onset.low_ns) / (4 * 3600 * NS_PER_SECOND), MIN_SIGMA_HOURS)
    weight = math.log(rate * max(_density(hours, sigma, prior), _FLOOR_PER_HOUR) / weights.unexplained_per_hour)
    minutes = hours * 60
    return evidence(
        CODE,
        weight,
        f"It took effect {_span(minutes)} the onset.",
        {"lead_minutes": round(minutes, 2), "repeats": repeats, "rate": rate},
    )


def _density(hours: float, sigma: float, prior: KindPrior) -> float:
    """Lead-time density per hour, smoothed over the error of the onset."""
    points = hours + sigma * _NODES
    late = points > 0
    if not late.any():
        return 0.0
    leads = points[late]
    fast = _lognormal(leads, prior.lead_minutes / 60, prior.spread)
    slow = _lognormal(leads, SLOW_LEAD_HOURS, SLOW_SPREAD)
    mixed = (1 - prior.slow_share) * fast + prior.slow_share * slow
    return float((mixed * _NODE_WEIGHTS[late]).sum())


def _lognormal(hours: np.ndarray, median: float, spread: float) -> np.ndarray:
    standard = (np.log(hours) - math.log(median)) / spread
    result: np.ndarray = np.exp(-0.5 * standard**2) / (hours * spread * math.sqrt(2 * math.pi))
    return result


def _span(minutes: float) -> str:
    side = "before" if minutes >= 0 else "after"
    size = abs(minutes)
    return (
        f"{size * 60:.0f} s {side}"
        if size < 2
        else f"{size:.0f} min {side}"
        if size < 120
        else f"{size / 60:.0f} h {side}"
    )
