"""All constants of the ranking in one place, each with its meaning. They are set by hand, not fitted.

Lead times are heavy-tailed on purpose: most changes hurt within minutes, but a share of them sleeps for hours (caches,
next peak, next batch). A sharp decay would blame whatever was deployed last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from whence.model.kinds import ChangeKind

WEIGHTS_VERSION = "2026-11.2"


@dataclass(frozen=True, slots=True)
class KindPrior:
    """What is expected of a change of one kind before any evidence is seen."""

    rate: float
    """Chance that one such change causes an incident at such a symptom."""
    lead_minutes: float
    """Median time from taking effect to onset."""
    spread: float
    """Standard deviation of ln(lead)."""
    slow_share: float
    """Share of late effects; these have a median of ``SLOW_LEAD_HOURS``."""
    silent: bool = False
    """Whether it tends to fail without errors (wrong values), so that silence counts less for its innocence."""


PRIORS: Mapping[ChangeKind, KindPrior] = MappingProxyType(
    {
        ChangeKind.DEPLOYMENT: KindPrior(0.02, 6, 1.7, 0.4),
        ChangeKind.CONFIG: KindPrior(0.015, 3, 1.6, 0.4),
        ChangeKind.FLAG: KindPrior(0.015, 3, 1.6, 0.4),
        ChangeKind.MODEL: KindPrior(0.04, 15, 1.9, 0.4, silent=True),
        ChangeKind.DATASET: KindPrior(0.02, 20, 2.1, 0.4, silent=True),
        ChangeKind.SCHEMA: KindPrior(0.03, 20, 2.1, 0.4, silent=True),
        ChangeKind.STALENESS: KindPrior(0.04, 90, 1.8, 0.2, silent=True),
        ChangeKind.INFRASTRUCTURE: KindPrior(0.01, 3, 1.6, 0.3),
        ChangeKind.OTHER: KindPrior(0.01, 6, 1.9, 0.4),
    }
)
AT_ONCE_SHARE, AT_ONCE_HOURS = 0.25, 40 / 3600
"""Share that hurts from the first request on, and their mean; for changes whose first use telemetry shows: whatever
delayed them until then is over."""
SLOW_LEAD_HOURS = 10.0
SLOW_SPREAD = 1.5


@dataclass(frozen=True, slots=True)
class RankWeights:
    """The few numbers that turn evidence into probability."""

    priors: Mapping[ChangeKind, KindPrior] = field(default_factory=lambda: PRIORS)
    unexplained_per_hour: float = 1 / 400
    """Rate of incidents that no recorded change explains."""
    tempering: float = 1.0
    """Below 1 if pieces of evidence said the same twice. On replayed incidents they don't: answers were too timid."""
    none_bias: float = 2.5
    none_for_rivals: float = 0.5
    """Nats in favour of "none", and for each e-fold of changes shortly before the onset: the best of many bystanders
    looks better than a random one."""
    cap_circumstantial: float = 0.60
    """For what only time and place speak."""
    cap_without_decisive: float = 0.90
    """Caps guard against evidence that nobody thought of. These two stood at .80 and .85, and of what they held back
    98 of 100 came true in made-up systems, and 96 of 100 on replayed incidents."""
    cap_without_withdrawal: float = 0.95


DEFAULT_WEIGHTS = RankWeights()
