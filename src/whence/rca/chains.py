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

_ORIGINS = frozenset({ChangeKind.DATASET, ChangeKind.SCHEMA, ChangeKind.STALENESS})
"""Kinds that can't be rolled back by themselves, only mended."""


@dataclass(frozen=True, slots=True)
class Link:
    """Part that a candidate plays, and the ids of the changes that act with it."""

    role: Role
    with_changes: tuple[str, ...]


def links_of(candidates: Sequence[Candidate], probabilities: Sequence[float]) -> list[Link]:
    """The link of each candidate, in their order."""
    return [_link(at, candidates, probabilities) for at in range(len(candidates))]


def _link(at: int, candidates: Sequence[Candidate], probabilities: Sequence[float]) -> Link:
    mine = candidates[at]
    carried = [one.change.id for one in candidates if is_carried_by(mine, one)]
    carries = [one.change.id for one in candidates if is_carried_by(one, mine)]
    alike = [
        one.change.id
        for other, one in enumerate(candidates)
        if other != at and probabilities[other] == probabilities[at] and one.bases == mine.bases
    ]
    if carried or carries:
        role = Role.ORIGIN if carried else Role.VEHICLE
    else:
        role = Role.ORIGIN if mine.change.kind in _ORIGINS else Role.VEHICLE
    return Link(role, tuple(sorted({*carried, *carries, *alike})))


def is_carried_by(origin: Candidate, vehicle: Candidate) -> bool:
    """Whether requests meet the one change only through the version that the other one brought."""
    return vehicle.version is not None and vehicle.version != origin.version and vehicle.version in origin.new_nodes
