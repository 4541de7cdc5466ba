"""Requests that get to the changed place before and after, with those that don't as control.

Only where old and new hardly ran side by side: it can't separate two changes made at once, nor exonerate for sure, so
it weighs a third of the contrast. Without requests that avoid the place it would say no more than the clock does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from whence.model.answer import Evidence
from whence.rca.candidates import Candidate
from whence.rca.columns import Ints
from whence.rca.evidence.common import clip, evidence, percent, two_prior
from whence.rca.evidence.same_time_contrast import same_time_contrast
from whence.rca.scene import Scene

CODE = "before_after"
SHARE_OF_CONTRAST = 0.35
GUILTY = (1.5, 1.2)
BYSTANDER_SPREAD = 0.6
LIMIT_NATS = 1.5
CLEAR_NATS = 1.0
"""A contrast this clear needs no help."""
MIN_REQUESTS = 10.0


class Side(NamedTuple):
    """Requests on one side of an instant, and how many of them were bad."""

    bad: float
    total: float


def before_after(candidate: Candidate, scene: Scene) -> Evidence | None:
    """Difference in differences of the bad share's ln odds; None without enough requests of every sort."""
    contrast = same_time_contrast(candidate, scene)
    if contrast is not None and abs(contrast.weight) >= CLEAR_NATS:
        return None
    whole, touching = (
        _sides(scene, rows, candidate.acts_ns) for rows in (scene.requests.everything, scene.through(candidate))
    )
    idle = [_without(all_, some) for all_, some in zip(whole, touching, strict=True)]
    if min(side.total for side in (*touching, *idle)) < MIN_REQUESTS:
        return None
    effect, variance = _log_odds_change(*touching)
    control, control_variance = _log_odds_change(*idle)
    effect, variance = effect - control, variance + control_variance
    weight = clip(SHARE_OF_CONTRAST * two_prior(effect, variance, GUILTY, BYSTANDER_SPREAD), -LIMIT_NATS, LIMIT_NATS)
    was, now = (percent(side.bad / side.total) for side in touching)
    idle_was, idle_now = (percent(side.bad / side.total) for side in idle)
    sentence = f"Requests through it went from {was} to {now} bad, all others from {idle_was} to {idle_now}."
    return evidence(CODE, weight, sentence, {"log_odds_change": effect, "variance": variance})


def _without(whole: Side, part: Side) -> Side:
    return Side(max(whole.bad - part.bad, 0.0), whole.total - part.total)


def _sides(scene: Scene, rows: Ints, at_ns: int) -> tuple[Side, Side]:
    before, after = (
        Side(float(scene.bad[part].sum()), float(scene.requests.total[part].sum()))
        for part in (scene.until(rows, at_ns), scene.since(rows, at_ns))
    )
    return before, after


def _log_odds_change(before: Side, after: Side) -> tuple[float, float]:
    cells = np.array([after.bad, after.total - after.bad, before.bad, before.total - before.bad]) + 0.5
    logs = np.log(np.maximum(cells, 0.5))
    return float(logs[0] - logs[1] - logs[2] + logs[3]), float((1 / np.maximum(cells, 0.5)).sum())
