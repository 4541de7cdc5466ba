"""Competing risks: every change, and "none of them", as a source of the incident with its own intensity.

With one guilty change the likelihood of all data is that of its own evidence under guilt times everyone else's under
innocence; the innocent terms cancel, and a softmax over ln likelihood ratios is the posterior.

Decision: combinations are not scored. Two changes acting together can only be told from either alone by requests that
met both, and exposures count each version by itself; changes that can't be told apart are reported as such instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whence.rca.columns import Floats
from whence.rca.weights import RankWeights

STEPS = 1_000_000_000
"""A probability is told in so many steps; what differs by less is a tie."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Probabilities that sum to 1."""

    changes: Floats
    """In the order of the scores."""
    none: float


def posterior(nats: Sequence[float], none: float, weights: RankWeights) -> Posterior:
    """Probabilities; 1 for none when there are no candidates.

    Args:
        nats: Sum of all evidence on each candidate.
        none: Evidence in favour of "none of them", beyond its bias.
        weights: Tempering and bias.
    """
    exponents = weights.tempering * np.array([*nats, weights.none_bias + none])
    odds = np.exp(exponents - exponents.max())
    shares = odds / odds.sum()
    return Posterior(changes=shares[:-1], none=float(shares[-1]))


def rounded_down(probability: float) -> float:
    """A probability as it is told. Never up, or many of them would sum to more than 1."""
    return math.floor(probability * STEPS) / STEPS
