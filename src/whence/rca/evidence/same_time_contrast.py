"""Requests that met the new version against requests that met the old one in the same minutes.

A Mantel-Haenszel odds ratio over strata of bucket and entry operation, with the variance of Robins, Breslow and
Greenland (Biometrics 1986). It needs no model and no history, and it exonerates as well as it accuses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.columns import Floats, Ints, sum_by
from whence.rca.evidence.common import clip, evidence, percent, two_prior
from whence.rca.scene import Scene

CODE = "same_time_contrast"
MIN_REQUESTS = 5.0
MIN_BAD = 3.0
"""On both sides together: where nothing went bad, nothing can be compared."""
GUILTY = (1.5, 1.0)
BYSTANDER_SPREAD = 0.25
"""Room for what sets a canary apart anyway: internal users, cold caches, one zone."""
DISPERSION = 1.3
LOW_NATS, HIGH_NATS = -6.0, 8.0
SPOILING = frozenset({ChangeKind.DEPLOYMENT, ChangeKind.CONFIG, ChangeKind.FLAG, ChangeKind.SCHEMA, ChangeKind.OTHER})
"""Changes that may write what others read; a model or a snapshot is only read."""
POISONED_FACTOR = 3.0
POISONED_WITHIN_NS = 120 * NS_PER_SECOND
"""If requests that met the old version went this bad this soon after the new one came, likeness hardly exonerates."""
POISONED_LOW_NATS = -1.0
DECISIVE_NATS = 3.0


@dataclass(frozen=True, slots=True)
class Contrast:
    """New against old in the strata where both ran."""

    new: float
    new_bad: float
    old: float
    old_bad: float
    log_odds: float
    variance: float


def same_time_contrast(candidate: Candidate, scene: Scene) -> Evidence | None:
    """The contrast as evidence; None where old and new never ran side by side or too little happened meanwhile."""
    contrast = measure(candidate, scene)
    if contrast is None:
        return None
    weight = clip(two_prior(contrast.log_odds, contrast.variance, GUILTY, BYSTANDER_SPREAD), LOW_NATS, HIGH_NATS)
    may_spoil = candidate.change.kind in SPOILING
    if may_spoil and weight < POISONED_LOW_NATS and _old_went_bad(candidate, scene):
        weight = POISONED_LOW_NATS
    return evidence(CODE, weight, _sentence(contrast, weight), _data(contrast))


def measure(candidate: Candidate, scene: Scene) -> Contrast | None:
    """Counts of both sides in the strata that have both, and the pooled odds ratio."""
    requests = scene.requests
    new, old = requests.touching(candidate.new_nodes), requests.touching(candidate.old_nodes)
    if not len(new) or not len(old):
        return None
    stratum = requests.start_s * max(requests.operations, 1) + requests.operation
    labels, position = np.unique(stratum[np.concatenate([new, old])], return_inverse=True)
    new_total, new_bad = _by_stratum(scene, new, position[: len(new)], len(labels))
    old_total, old_bad = _by_stratum(scene, old, position[len(new) :], len(labels))
    both = (new_total > 0) & (old_total > 0)
    a, c = new_bad[both], old_bad[both]
    b, d = new_total[both] - a, old_total[both] - c
    if min(a.sum() + b.sum(), c.sum() + d.sum()) < MIN_REQUESTS or a.sum() + c.sum() < MIN_BAD:
        return None
    log_odds, variance = mantel_haenszel(a, b, c, d)
    return Contrast(
        new=float(a.sum() + b.sum()),
        new_bad=float(a.sum()),
        old=float(c.sum() + d.sum()),
        old_bad=float(c.sum()),
        log_odds=log_odds,
        variance=variance,
    )


def _by_stratum(scene: Scene, rows: Ints, stratum: Ints, strata: int) -> tuple[Floats, Floats]:
    """Requests and bad ones in each stratum, as many as unequal sampling weights are worth: (sum w)^2 / sum w^2."""
    requests = scene.requests
    raw = sum_by(stratum, requests.total[rows], strata)
    worth = sum_by(stratum, requests.total[rows] ** 2 / np.maximum(requests.total_sq[rows], 1e-9), strata)
    bad = sum_by(stratum, scene.bad[rows], strata)
    return worth, np.clip(bad / np.maximum(raw, 1e-9), 0.0, 1.0) * worth


def mantel_haenszel(a: Floats, b: Floats, c: Floats, d: Floats) -> tuple[float, float]:
    """Pooled ln odds ratio of bad among new (a bad, b good) against old (c bad, d good), and its variance."""
    n = np.maximum(a + b + c + d, 1e-9)
    r, s = a * d / n, b * c / n
    p, q = (a + d) / n, (b + c) / n
    big_r, big_s = float(r.sum()) + 0.5, float(s.sum()) + 0.5
    variance = (
        float((p * r).sum()) / (2 * big_r**2)
        + float((p * s + q * r).sum()) / (2 * big_r * big_s)
        + float((q * s).sum()) / (2 * big_s**2)
        + 0.25 / big_r
        + 0.25 / big_s
    )
    return math.log(big_r / big_s), variance * DISPERSION


def _old_went_bad(candidate: Candidate, scene: Scene) -> bool:
    """Whether requests that met the old version went bad just as the new one came, as if it had spoilt something."""
    old, came_ns = scene.tallies.of(candidate.old_nodes), candidate.acts_ns
    was, now = old.between(to_ns=came_ns), old.between(came_ns, came_ns + POISONED_WITHIN_NS)
    if min(was.total, now.total) < MIN_REQUESTS:
        return False
    return (now.bad + 0.5) / (now.total + 1) > POISONED_FACTOR * (was.bad + 0.5) / (was.total + 1)


def _sentence(contrast: Contrast, weight: float) -> str:
    ratio = math.exp(contrast.log_odds)
    low, high = _interval(contrast)
    counts = f"{contrast.new_bad:.0f}/{contrast.new:.0f} vs {contrast.old_bad:.0f}/{contrast.old:.0f}"
    if weight < 0:
        interval = f"odds ratio {ratio:.2g}, 95 % {low:.2g} to {high:.2g}"
        return f"Old and new behave alike in the same minutes ({interval}; {counts} bad)."
    new, old = contrast.new_bad / contrast.new, contrast.old_bad / contrast.old
    return (
        f"In the same minutes {percent(new)} of the requests that met the new version went bad, {percent(old)} of "
        f"those that met the old one (odds ratio {ratio:.2g}, 95 % {low:.2g} to {high:.2g}; {counts})."
    )


def _interval(contrast: Contrast) -> tuple[float, float]:
    half = 1.96 * math.sqrt(contrast.variance)
    return math.exp(contrast.log_odds - half), math.exp(contrast.log_odds + half)


def _data(contrast: Contrast) -> dict[str, object]:
    low, high = _interval(contrast)
    return {
        "odds_ratio": math.exp(contrast.log_odds),
        "odds_ratio_low": low,
        "odds_ratio_high": high,
        "new_requests": contrast.new,
        "new_bad": contrast.new_bad,
        "old_requests": contrast.old,
        "old_bad": contrast.old_bad,
    }
