"""Two changes that hurt only together, as far as counts of single versions can tell.

*Awakened*: requests that met the first change were fine until a second one came, and from then on they, and not those
that avoided the first, went bad. Each alone would have done no harm.

*Crossed*: both came at about the same time, and requests that met only one of the two were spared. Counts are of single
versions, so how many met only one is reckoned as if who met the one had nothing to do with who met the other; two
changes that are always met together are told by their equal counts and left out.

*Never apart*: the first change hurts from its start, but it has only ever been met together with a second, recent one
at the same place. Whether it needs that one can't be told, and is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whence.model.answer import Evidence
from whence.model.change import Change
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.columns import sum_by
from whence.rca.evidence import clean_start, same_time_contrast
from whence.rca.evidence.common import evidence
from whence.rca.evidence.same_time_contrast import Contrast
from whence.rca.scene import Scene
from whence.rca.weighing import Weighed

CODE = "interaction"
AWAKENED_NATS = 1.0
HURTS_NATS = 2.0
MIN_SPARED = 4.0
SPARED_SHARE = 0.25
"""A side counts as spared when at least ``MIN_SPARED`` bad requests were due there and at most this share came."""
ALIKE_SHARE = 0.1
MOST_REPEATS = 3
"""A series that changes more often than this is no partner: something in it is always recent."""


def paired(weighed: Sequence[Weighed], scene: Scene) -> list[Weighed]:
    """The same candidates, those that act together with another one knowing it."""
    result = {one.candidate.change.id: one for one in weighed}
    for one in weighed:
        partner = awakened_by(one, weighed, scene)
        if partner is not None:
            mine, other = one.candidate.change.id, partner.candidate.change.id
            result[mine] = result[mine].having(_awakened(one, partner), (other,))
            result[other] = result[other].having(None, (mine,))
        elif (crossing := crossed_by(one, weighed, scene)) is not None:
            mine = one.candidate.change.id
            result[mine] = result[mine].having(_crossed(crossing), (crossing.candidate.change.id,))
        elif _hurts(one):
            apart = [other.candidate.change.id for other in weighed if _never_apart(one, other, scene)]
            result[one.candidate.change.id] = result[one.candidate.change.id].having(None, apart)
    return [result[one.candidate.change.id] for one in weighed]


def awakened_by(one: Weighed, weighed: Sequence[Weighed], scene: Scene) -> Weighed | None:
    """The likeliest change that came with the onset and made an earlier, harmless one hurt; None mostly."""
    early = one.piece(clean_start.CODE)
    if not _hurts(one) or early is None or early.direction != "against":
        return None
    onset = scene.observed.onset
    slack = scene.case.bucket_s * NS_PER_SECOND
    fitting = [
        other
        for other in weighed
        if onset.low_ns - slack <= other.candidate.acts_ns <= onset.high_ns
        and _is_partner(one.candidate, other.candidate, scene)
        and other.nats > 0
    ]
    return max(fitting, key=lambda other: other.nats, default=None)


def crossed_by(one: Weighed, weighed: Sequence[Weighed], scene: Scene) -> Weighed | None:
    """The likeliest change without which this one spared its requests, and that spared its own without this one."""
    if not _hurts(one):
        return None
    fitting = [
        other
        for other in weighed
        if other is not one
        and _hurts(other)
        and _is_partner(one.candidate, other.candidate, scene)
        and _are_crossed(one.candidate, other.candidate, scene)
    ]
    return max(fitting, key=lambda other: other.nats, default=None)


def _are_crossed(one: Candidate, other: Candidate, scene: Scene) -> bool:
    mine, others = same_time_contrast.measure(one, scene), same_time_contrast.measure(other, scene)
    if mine is None or others is None or _met_alike(one, other, scene):
        return False
    return _spares(mine, others) and _spares(others, mine)


def _spares(one: Contrast, other: Contrast) -> bool:
    """Whether requests that met the old side of ``one`` were spared, though many must have met the new of ``other``."""
    expected = one.old * other.new / (other.new + other.old) * other.new_bad / other.new
    return expected >= MIN_SPARED and one.old_bad <= SPARED_SHARE * expected


def _met_alike(one: Candidate, other: Candidate, scene: Scene) -> bool:
    """Whether nearly the same number of requests met both in each bucket: then they may be the same requests."""
    both = [scene.requests.touching(candidate.new_nodes) for candidate in (one, other)]
    starts = [scene.requests.start_s[rows] for rows in both]
    totals = [scene.requests.total[rows] for rows in both]
    labels, position = np.unique(np.concatenate(starts), return_inverse=True)
    first, second = (
        sum_by(place, total, len(labels))
        for place, total in zip((position[: len(both[0])], position[len(both[0]) :]), totals, strict=True)
    )
    onset_s = min(one.acts_ns, other.acts_ns) // NS_PER_SECOND
    mixed = labels >= onset_s - scene.case.bucket_s
    apart = float(np.abs(first - second)[mixed].sum())
    return apart < ALIKE_SHARE * float(np.maximum(first, second)[mixed].sum())


def _hurts(one: Weighed) -> bool:
    contrast = one.piece(same_time_contrast.CODE)
    return contrast is not None and contrast.weight >= HURTS_NATS


def _never_apart(one: Weighed, other: Weighed, scene: Scene) -> bool:
    """Whether nobody met the first change together with the old side of the second, a recent one at the same place."""
    second = other.candidate
    if second.acts_ns > one.candidate.acts_ns or not set(second.carriers) & set(one.candidate.carriers):
        return False
    old = scene.tallies.of(second.old_nodes)
    before, since = old.between(to_ns=second.acts_ns).total, old.between(one.candidate.acts_ns).total
    return before > 0 and not since and _is_partner(one.candidate, second, scene)


def _is_partner(one: Candidate, other: Candidate, scene: Scene) -> bool:
    related = bool(one.new_nodes & other.new_nodes)
    return one.bases != other.bases and not related and scene.repeats[other.bases, other.change.kind] <= MOST_REPEATS


def _crossed(partner: Weighed) -> Evidence:
    other = partner.candidate.change
    sentence = f"Requests that met it without the {_called(other)}, and those that met that without this, were spared."
    return evidence(CODE, AWAKENED_NATS, sentence, {"with": other.id})


def _awakened(one: Weighed, partner: Weighed) -> Evidence:
    other = partner.candidate.change
    sentence = f"It did no harm until the {_called(other)}; since then only requests that meet it go bad."
    return evidence(CODE, AWAKENED_NATS, sentence, {"with": other.id})


def _called(change: Change) -> str:
    return f"{change.kind.value} of {change.subject.partition('#')[2] or change.subject}"
