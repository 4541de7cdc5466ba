"""Two changes that hurt only together, as far as counts of single versions can tell.

*Awakened*: requests that met the first change were fine until a second one came, and from then on they, and not those
that avoided the first, went bad. Each alone would have done no harm.

*Never apart*: the first change hurts from its start, but it has only ever been met together with a second, recent one
at the same place. Whether it needs that one can't be told, and is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from whence.model.answer import Evidence
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.evidence import clean_start, same_time_contrast
from whence.rca.evidence.common import evidence
from whence.rca.scene import Scene
from whence.rca.weighing import Weighed

CODE = "interaction"
AWAKENED_NATS = 1.0
HURTS_NATS = 2.0
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


def _hurts(one: Weighed) -> bool:
    contrast = one.piece(same_time_contrast.CODE)
    return contrast is not None and contrast.weight >= HURTS_NATS


def _never_apart(one: Weighed, other: Weighed, scene: Scene) -> bool:
    """Whether nobody met the first change together with the old side of the second, a recent one at the same place."""
    second = other.candidate
    if second.acts_ns > one.candidate.acts_ns or not set(second.carriers) & set(one.candidate.carriers):
        return False
    rows = scene.requests.touching(second.old_nodes)
    before, since = scene.until(rows, second.acts_ns), scene.since(rows, one.candidate.acts_ns)
    return bool(len(before)) and not len(since) and _is_partner(one.candidate, second, scene)


def _is_partner(one: Candidate, other: Candidate, scene: Scene) -> bool:
    related = bool(one.new_nodes & other.new_nodes)
    return one.bases != other.bases and not related and scene.repeats[other.bases, other.change.kind] <= MOST_REPEATS


def _awakened(one: Weighed, partner: Weighed) -> Evidence:
    other = partner.candidate.change
    name = other.subject.partition("#")[2] or other.subject
    sentence = (
        f"It did no harm until {other.kind.value} of {name} changed; since then only requests that meet it go bad."
    )
    return evidence(CODE, AWAKENED_NATS, sentence, {"with": other.id})
