"""How well the time between a change and the onset fits its kind: the prior of the competing risks."""

from __future__ import annotations

import math

import numpy as np

from whence.model.answer import Evidence
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.columns import Floats
from whence.rca.evidence.common import evidence, span
from whence.rca.scene import Scene
from whence.rca.weights import AT_ONCE_HOURS, AT_ONCE_SHARE, SLOW_LEAD_HOURS, SLOW_SPREAD, KindPrior

CODE = "lead_time"
REPEAT_WEIGHT = 4.0
"""Changes of one subject that count as much as the prior; a pipeline that refreshes hourly teaches itself down."""
_FLOOR_PER_HOUR = 1e-6
_HOUR_NS = 3600 * NS_PER_SECOND


def lead_time(candidate: Candidate, scene: Scene) -> Evidence:
    """Ln of the candidate's incident rate at the onset over the rate of unexplained incidents."""
    prior = scene.weights.priors[candidate.change.kind]
    repeats = scene.repeats[candidate.bases, candidate.change.kind] - 1
    rate = prior.rate * REPEAT_WEIGHT / (REPEAT_WEIGHT + repeats)
    instants, probabilities = scene.observed.possible_onsets_ns(candidate.slack_ns)
    leads = (instants - candidate.acts_ns) / _HOUR_NS
    median = min(prior.lead_minutes, candidate.lead_minutes or prior.lead_minutes)
    at_once = AT_ONCE_SHARE if candidate.is_sighted else 0.0
    density = lead_density(leads, probabilities, prior, median_minutes=median, at_once_share=at_once)
    density = max(density, _FLOOR_PER_HOUR)
    weight = math.log(rate * density / scene.weights.unexplained_per_hour)
    minutes = float((leads * probabilities).sum()) * 60
    side = "before" if minutes >= 0 else "after"
    data = {"lead_minutes": round(minutes, 2), "repeats": repeats, "rate": rate}
    return evidence(CODE, weight, f"It took effect {span(abs(minutes))} {side} it began.", data)


def lead_density(
    leads: Floats, probabilities: Floats, prior: KindPrior, *, median_minutes: float, at_once_share: float = 0.0
) -> float:
    """Lead-time density per hour, averaged over what the lead in hours may be; 0 if the change came too late."""
    late = leads > 0
    hours = leads[late]
    if not len(hours):
        return 0.0
    logs = np.log(hours)
    mixed = (1 - prior.slow_share) * _lognormal(hours, logs, median_minutes / 60, prior.spread)
    mixed += prior.slow_share * _lognormal(hours, logs, SLOW_LEAD_HOURS, SLOW_SPREAD)
    if at_once_share:
        at_once = np.exp(-hours / AT_ONCE_HOURS) / AT_ONCE_HOURS
        mixed = at_once_share * at_once + (1 - at_once_share) * mixed
    return float(mixed @ probabilities[late])


def _lognormal(hours: Floats, logs: Floats, median: float, spread: float) -> Floats:
    standard = (logs - math.log(median)) / spread
    result: Floats = np.exp(-0.5 * standard * standard) / (hours * (spread * math.sqrt(2 * math.pi)))
    return result
