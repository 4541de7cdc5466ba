"""Where to look when no change explains it: the places that moved, beside the changes that are unlikely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from whence.model.answer import NoneRow, Role, Suspect
from whence.rca import explain
from whence.rca.conditions import Condition, conditions_of
from whence.rca.evidence import origin
from whence.rca.evidence.common import evidence
from whence.rca.posterior import rounded_down
from whence.rca.scene import Scene

SHARE = 0.2
"""Of what "none" holds, at most: a place that moved tells where, hardly what."""


def with_places(scene: Scene, suspects: Sequence[Suspect], none: NoneRow) -> tuple[tuple[Suspect, ...], NoneRow]:
    """Suspects with the places among them, best first, and what is left of "none"; that stays ahead of them all."""
    named = {one.change.subject for one in suspects}
    places = [one for one in conditions_of(scene) if one.movement.place not in named]
    lead = none.probability - max((one.probability for one in suspects), default=0.0)
    share = min(SHARE * none.probability, max(lead, 0.0) / 2)
    if not places or share <= 0:
        return tuple(suspects), none
    weights = [math.exp(scene.weights.tempering * one.nats) * (1 + one.movement.score) for one in places]
    shares = [rounded_down(share * weight / sum(weights)) for weight in weights]
    cards = [_card(scene, one, probability) for one, probability in zip(places, shares, strict=True)]
    rest = replace(none, probability=rounded_down(none.probability - sum(shares)))
    return _ranked([*suspects, *cards]), rest


def _card(scene: Scene, place: Condition, probability: float) -> Suspect:
    movement = place.movement
    reach = scene.topology.reach.get(movement.place)
    moved = origin.describe(movement)
    data = {"place": movement.place, "facet": movement.facet, "before": movement.before, "after": movement.after}
    return Suspect(
        rank=0,
        probability=probability,
        band=explain.band(probability),
        role=Role.ORIGIN,
        change=place.as_change(),
        path=(scene.topology.symptom, movement.place) if reach is None else reach.path,
        evidence=(evidence(origin.CODE, place.nats, f"{moved[0].upper()}{moved[1:]}.", data),),
        settle="Look there first, and report what was changed or failed: no change of it is known.",
    )


def _ranked(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Best first, ties sharing a rank; those that were ranked among themselves keep their order."""
    ranked: list[Suspect] = []
    for position, one in enumerate(sorted(suspects, key=lambda one: -one.probability), start=1):
        tied = bool(ranked) and ranked[-1].probability == one.probability
        ranked.append(replace(one, rank=ranked[-1].rank if tied else position))
    return tuple(ranked)
