"""Requests that get to the changed place before and after, with those that don't as control.

Only where old and new hardly ran side by side: it can't separate two changes made at once, nor exonerate for sure, so
it weighs a third of the contrast. Without requests that avoid the place it would say no more than the clock does.
"""

from __future__ import annotations

import math

from whence.model.answer import Evidence
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import clip, evidence, percent, two_prior
from whence.rca.evidence.same_time_contrast import same_time_contrast
from whence.rca.scene import Scene
from whence.rca.tallies import Count

CODE = "before_after"
SHARE_OF_CONTRAST = 0.35
GUILTY = (1.5, 1.2)
BYSTANDER_SPREAD = 0.6
LIMIT_NATS = 1.5
CLEAR_NATS = 1.0
"""A contrast this clear needs no help."""
MIN_REQUESTS = 10.0


def before_after(candidate: Candidate, scene: Scene) -> Evidence | None:
    """Difference in differences of the bad share's ln odds; None without enough requests of every sort."""
    contrast = same_time_contrast(candidate, scene)
    if contrast is not None and abs(contrast.weight) >= CLEAR_NATS:
        return None
    whole, touching = (
        (tally.between(to_ns=candidate.acts_ns), tally.between(candidate.acts_ns))
        for tally in (scene.tallies.everything, scene.through(candidate))
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


def _without(whole: Count, part: Count) -> Count:
    return Count(max(whole.bad - part.bad, 0.0), whole.total - part.total)


def _log_odds_change(before: Count, after: Count) -> tuple[float, float]:
    effect, variance = 0.0, 0.0
    for sign, side in ((1, after), (-1, before)):
        bad, good = (max(cell, 0.0) + 0.5 for cell in (side.bad, side.total - side.bad))
        effect += sign * math.log(bad / good)
        variance += 1 / bad + 1 / good
    return effect, variance
