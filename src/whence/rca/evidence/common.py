"""What the kinds of evidence share: the two-prior form of a weight, and words for numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from whence.model.answer import Evidence

NEUTRAL_NATS = 0.2


def two_prior(value: float, variance: float, guilty: tuple[float, float], bystander_spread: float) -> float:
    """Nats by which a measured effect speaks for guilt.

    Args:
        value: The effect, 0 meaning none.
        variance: Of its measurement.
        guilty: Mean and spread of the effect among guilty changes.
        bystander_spread: Spread around 0 among bystanders.
    """
    mean, spread = guilty
    return _log_normal(value - mean, variance + spread**2) - _log_normal(value, variance + bystander_spread**2)


def clip(value: float, low: float, high: float) -> float:
    """The value, or the nearer bound."""
    return min(max(value, low), high)


def evidence(code: str, weight: float, sentence: str, data: Mapping[str, object]) -> Evidence:
    """Evidence with its direction read off the weight."""
    direction = "for" if weight > NEUTRAL_NATS else "against" if weight < -NEUTRAL_NATS else "neutral"
    return Evidence(code, direction, round(weight, 4), sentence, data)


def percent(share: float) -> str:
    """A share for people: two significant digits below 10 %."""
    value = share * 100
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.2g} %"


def span(minutes: float) -> str:
    """A length of time for people."""
    if minutes < 2:
        return f"{minutes * 60:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _log_normal(distance: float, variance: float) -> float:
    return -0.5 * distance**2 / variance - 0.5 * math.log(variance)
