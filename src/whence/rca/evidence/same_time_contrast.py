"""Requests that met the new version against requests that met the old one in the same minutes.

A Mantel-Haenszel odds ratio over strata of minute and entry operation, with the variance of Robins, Breslow and
Greenland (Biometrics 1986). It needs no model and no history, and it exonerates as well as it accuses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from whence.model.answer import Evidence
from whence.rca.candidates import Candidate
from whence.rca.columns import Floats, sum_by
from whence.rca.evidence.common import clip, evidence, percent, two_prior
from whence.rca.requests import Requests

CODE = "same_time_contrast"
STRATUM_S = 60
MIN_REQUESTS = 5.0
GUILTY = (1.5, 1.0)
BYSTANDER_SPREAD = 0.25
"""Room for what sets a canary apart anyway: internal users, cold caches, one zone."""
DISPERSION = 1.3
LOW_NATS, HIGH_NATS = -6.0, 8.0
POISONED_FACTOR = 3.0
"""If requests that met the old version went this bad too, likeness no longer exonerates: state may be shared."""
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


def same_time_contrast(candidate: Candidate, requests: Requests, bad: Floats) -> Evidence | None:
    """The contrast as evidence; None where old and new never ran side by side or too few requests met one."""
    contrast = measure(candidate, requests, bad)
    if contrast is None:
        return None
    weight = clip(two_prior(contrast.log_odds, contrast.variance, GUILTY, BYSTANDER_SPREAD), LOW_NATS, HIGH_NATS)
    if weight < POISONED_LOW_NATS and _old_went_bad(candidate, requests, bad):
        weight = POISONED_LOW_NATS
    return evidence(CODE, weight, _sentence(contrast, weight), _data(contrast))


def measure(candidate: Candidate, requests: Requests, bad: Floats) -> Contrast | None:
    """Counts of both sides and the pooled odds ratio."""
    new, old = requests.touching(candidate.new_nodes), requests.touching(candidate.old_nodes)
    if not len(new) or not len(old):
        return None
    stratum = requests.start_s // STRATUM_S * max(requests.operations, 1) + requests.operation
    labels, position = np.unique(stratum[np.concatenate([new, old])], return_inverse=True)
    count = len(labels)
    sides = []
    for rows, where in ((new, position[: len(new)]), (old, position[len(new) :])):
        total = sum_by(where, _effective(requests, rows), count)
        share = sum_by(where, bad[rows], count)
        raw = sum_by(where, requests.total[rows], count)
        sides.append((total, np.clip(share / np.maximum(raw, 1e-9), 0, 1) * total))
    (n_new, b_new), (n_old, b_old) = sides
    both = (n_new > 0) & (n_old > 0)
    if n_new[both].sum() < MIN_REQUESTS or n_old[both].sum() < MIN_REQUESTS:
        return None
    a, c = b_new[both], b_old[both]
    log_odds, variance = mantel_haenszel(a, n_new[both] - a, c, n_old[both] - c)
    return Contrast(
        float(n_new[both].sum()), float(a.sum()), float(n_old[both].sum()), float(c.sum()), log_odds, variance
    )


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


def _effective(requests: Requests, rows: np.ndarray) -> Floats:
    """Requests that unequal sampling weights are worth: (sum w)^2 / sum w^2 of each row."""
    result: Floats = requests.total[rows] ** 2 / np.maximum(requests.total_sq[rows], 1e-9)
    return result


def _old_went_bad(candidate: Candidate, requests: Requests, bad: Floats) -> bool:
    rows = requests.touching(candidate.old_nodes)
    before = rows[requests.start_s[rows] * 1_000_000_000 < candidate.acts_ns]
    after = rows[requests.start_s[rows] * 1_000_000_000 >= candidate.acts_ns]
    if requests.total[before].sum() < MIN_REQUESTS or requests.total[after].sum() < MIN_REQUESTS:
        return False
    was = (bad[before].sum() + 0.5) / (requests.total[before].sum() + 1)
    now = (bad[after].sum() + 0.5) / (requests.total[after].sum() + 1)
    return bool(now > POISONED_FACTOR * was)


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
