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
    vehicle = vehicle_of(mine, candidates)
    origins = [one for one in candidates if vehicle_of(one, candidates) is mine]
    alike = [
        one
        for other, one in enumerate(candidates)
        if other != at and probabilities[other] == probabilities[at] and one.bases == mine.bases
    ]
    if vehicle is not None or origins:
        role = Role.ORIGIN if vehicle is not None else Role.VEHICLE
    else:
        role = Role.ORIGIN if mine.change.kind in _ORIGINS else Role.VEHICLE
    linked = [*([vehicle] if vehicle is not None else ()), *origins, *alike]
    return Link(role, tuple(sorted({*mine.also_reported, *(one.change.id for one in linked)})))


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
