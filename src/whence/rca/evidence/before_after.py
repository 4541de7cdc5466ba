"""Requests that get to the changed place before and after, with those that don't as control.

Only where old and new never ran side by side: it can't separate two changes made at once, nor exonerate for sure, so
it weighs a third of the contrast.
"""

from __future__ import annotations

import numpy as np

from whence.model.answer import Evidence
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.columns import Floats, Ints
from whence.rca.evidence.common import clip, evidence, percent, two_prior
from whence.rca.requests import Requests
from whence.rca.topology import Topology

CODE = "before_after"
SHARE_OF_CONTRAST = 0.35
GUILTY = (1.5, 1.2)
BYSTANDER_SPREAD = 0.6
LIMIT_NATS = 1.5
MIN_REQUESTS = 10.0


def before_after(candidate: Candidate, requests: Requests, bad: Floats, topology: Topology) -> Evidence | None:
    """Difference in differences of the bad share's ln odds; None without enough requests of both sorts."""
    carriers = frozenset(candidate.carriers)
    touching = requests.touching([node for node in requests.nodes if node and topology.base(node) in carriers])
    counts = _counts(requests, bad, touching, candidate.acts_ns)
    control = _control(requests, bad, touching, candidate.acts_ns)
    if counts is None or control is None:
        return None
    (before_bad, before), (after_bad, after) = counts
    effect, variance = _log_odds(after_bad, after, before_bad, before)
    (idle_before_bad, idle_before), (idle_after_bad, idle_after) = control
    other, other_variance = _log_odds(idle_after_bad, idle_after, idle_before_bad, idle_before)
    effect, variance = effect - other, variance + other_variance
    weight = clip(SHARE_OF_CONTRAST * two_prior(effect, variance, GUILTY, BYSTANDER_SPREAD), -LIMIT_NATS, LIMIT_NATS)
    sentence = (
        f"Of the requests that go through it {percent(before_bad / before)} were bad before and "
        f"{percent(after_bad / after)} after it took effect."
    )
    return evidence(CODE, weight, sentence, {"log_odds_change": effect, "variance": variance})


Pair = tuple[float, float]


def _counts(requests: Requests, bad: Floats, rows: Ints, at_ns: int) -> tuple[Pair, Pair] | None:
    late = requests.start_s[rows] * NS_PER_SECOND >= at_ns
    before, after = rows[~late], rows[late]
    sides = tuple((float(bad[side].sum()), float(requests.total[side].sum())) for side in (before, after))
    if min(sides[0][1], sides[1][1]) < MIN_REQUESTS:
        return None
    return sides[0], sides[1]


def _control(requests: Requests, bad: Floats, touching: Ints, at_ns: int) -> tuple[Pair, Pair] | None:
    """The same counts for requests that do not get there: everything less the touching ones."""
    whole = _counts(requests, bad, requests.everything, at_ns)
    part = _counts(requests, bad, touching, at_ns)
    if whole is None or part is None:
        return None
    (a_bad, a), (b_bad, b) = ((max(w[0] - p[0], 0.0), w[1] - p[1]) for w, p in zip(whole, part, strict=True))
    return ((a_bad, a), (b_bad, b)) if min(a, b) >= MIN_REQUESTS else None


def _log_odds(bad: float, total: float, was_bad: float, was_total: float) -> Pair:
    cells = np.array([bad, total - bad, was_bad, was_total - was_bad]) + 0.5
    logs = np.log(cells)
    return float(logs[0] - logs[1] - logs[2] + logs[3]), float((1 / cells).sum())
