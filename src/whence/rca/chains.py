"""Changes that belong together: a snapshot and the model roll-out that carried it here, or two that shipped as one.

They don't compete for the blame. Where the trouble began is the *origin*, to be mended later; what carried it here is
the *vehicle*, to be taken back now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whence.model.answer import Role
from whence.model.kinds import ChangeKind
from whence.rca.candidates import Candidate
from whence.rca.weighing import Weighed

_ORIGINS = frozenset({ChangeKind.DATASET, ChangeKind.SCHEMA, ChangeKind.STALENESS})
"""Kinds that can't be rolled back by themselves, only mended."""


@dataclass(frozen=True, slots=True)
class Link:
    """Part that a candidate plays, and the ids of the changes that act with it."""

    role: Role
    with_changes: tuple[str, ...]


def links_of(weighed: Sequence[Weighed], probabilities: Sequence[float]) -> list[Link]:
    """The link of each candidate, in their order."""
    candidates = [one.candidate for one in weighed]
    vehicles = [vehicle_of(one, candidates) for one in candidates]
    links = []
    for at, mine in enumerate(candidates):
        vehicle = vehicles[at]
        origins = [one for one, other in zip(candidates, vehicles, strict=True) if other is mine]
        alike = [
            one
            for one, probability in zip(candidates, probabilities, strict=True)
            if one is not mine and one.bases == mine.bases and probability == probabilities[at]
        ]
        together = (*origins, *alike) if vehicle is None else (vehicle, *origins, *alike)
        ids = {*mine.also_reported, *weighed[at].partners, *(one.change.id for one in together)}
        links.append(Link(_role(mine, vehicle, origins), tuple(sorted(ids))))
    return links


def _role(mine: Candidate, vehicle: Candidate | None, origins: Sequence[Candidate]) -> Role:
    if vehicle is not None:
        return Role.ORIGIN
    return Role.ORIGIN if mine.change.kind in _ORIGINS and not origins else Role.VEHICLE


def vehicle_of(origin: Candidate, candidates: Sequence[Candidate]) -> Candidate | None:
    """The first change that brought a version through which alone requests meet ``origin``; None when there is none."""
    carried = [
        one
        for one in candidates
        if one.version is not None
        and one.bases != origin.bases
        and one.version in origin.new_nodes
        and one.acts_ns >= origin.change.effective_ns
    ]
    return min(carried, key=lambda one: (one.acts_ns, -one.change.effective_ns), default=None)
