"""How well the time between a change and the onset fits its kind: the prior of the competing risks."""

from __future__ import annotations

import math

import numpy as np

from whence.model.answer import Evidence
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.columns import Floats
from whence.rca.evidence.common import evidence
from whence.rca.weights import SLOW_LEAD_HOURS, SLOW_SPREAD, KindPrior, RankWeights

CODE = "lead_time"
Onsets = tuple[Floats, Floats]
_FLOOR_PER_HOUR = 1e-6
REPEAT_WEIGHT = 4.0
"""Changes of one subject that count as much as the prior; a pipeline that refreshes hourly teaches itself down."""


def lead_time(candidate: Candidate, onsets: Onsets, weights: RankWeights, repeats: int) -> Evidence:
    """Ln of the candidate's incident rate at the onset over the rate of unexplained incidents.

    Args:
        candidate: The change.
        onsets: Instants at which it may have begun, in nanoseconds, and their probabilities.
        weights: Rates and lead times by kind.
        repeats: Other changes of the same subject and kind in the time looked at.
    """
    prior = weights.priors[candidate.change.kind]
    rate = prior.rate * REPEAT_WEIGHT / (REPEAT_WEIGHT + repeats)
    leads = (onsets[0] - candidate.acts_ns) / (3600 * NS_PER_SECOND)
    density = max(_density(leads, onsets[1], prior), _FLOOR_PER_HOUR)
    weight = math.log(rate * density / weights.unexplained_per_hour)
    minutes = float((leads * onsets[1]).sum()) * 60
    return evidence(
        CODE,
        weight,
        f"It took effect {_span(minutes)} the onset.",
        {"lead_minutes": round(minutes, 2), "repeats": repeats, "rate": rate},
    )


def _density(leads: Floats, probabilities: Floats, prior: KindPrior) -> float:
    """Lead-time density per hour, averaged over what the onset may be."""
    late = leads > 0
    if not late.any():
        return 0.0
    fast = _lognormal(leads[late], prior.lead_minutes / 60, prior.spread)
    slow = _lognormal(leads[late], SLOW_LEAD_HOURS, SLOW_SPREAD)
    mixed = (1 - prior.slow_share) * fast + prior.slow_share * slow
    return float((mixed * probabilities[late]).sum())


def _lognormal(hours: Floats, median: float, spread: float) -> Floats:
    standard = (np.log(hours) - math.log(median)) / spread
    result: Floats = np.exp(-0.5 * standard**2) / (hours * spread * math.sqrt(2 * math.pi))
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
