"""Competing risks: every change, and "none of them", as a source of the incident with its own intensity.

With one guilty change the likelihood of all data is that of its own evidence under guilt times everyone else's under
innocence; the innocent terms cancel, and a softmax over ln likelihood ratios is the posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whence.rca.columns import Floats
from whence.rca.weights import RankWeights


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates acting together, by position, with the nats that speak for their interaction."""

    first: int
    second: int
    nats: float


@dataclass(frozen=True, slots=True)
class Posterior:
    """Probabilities; together with ``none`` they sum to 1 before caps."""

    alone: Floats
    pairs: Floats
    none: float


def posterior(scores: Floats, weights: RankWeights, pairs: Sequence[Pair] = ()) -> Posterior:
    """Probabilities from total nats of each candidate.

    Args:
        scores: Lead time plus evidence, one for each candidate.
        weights: Tempering, none bias and pair prior.
        pairs: Combinations to consider.
    """
    tau = weights.tempering
    logs = list(tau * np.asarray(scores, dtype=np.float64))
    count = len(logs)
    logs += [logs[pair.first] + logs[pair.second] + tau * (weights.pair_nats + pair.nats) for pair in pairs]
    logs.append(tau * weights.none_bias)
    exponents = np.array(logs)
    odds = np.exp(exponents - exponents.max())
    shares = odds / odds.sum()
    return Posterior(alone=shares[:count], pairs=shares[count:-1], none=float(shares[-1]))
