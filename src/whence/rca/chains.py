"""Changes that belong together: a snapshot and the model roll-out that carried it here, or two that shipped as one.

They don't compete for the blame. Where the trouble began is the *origin*, to be mended later; what carried it here is
the *vehicle*, to be taken back now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whence.model.answer import Role
from whence.model.kinds import ChangeKind
from whence.rca.candidates import Candidate
from whence.rca.weighing import Weighed, stable_key

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
    bringing: dict[str, list[Candidate]] = defaultdict(list)
    alike: dict[tuple[tuple[str, ...], float], set[str]] = defaultdict(set)
    for one, probability in zip(candidates, probabilities, strict=True):
        alike[one.bases, probability].add(one.change.id)
        if one.version is not None:
            bringing[one.version].append(one)
    vehicles = [vehicle_of(one, bringing) for one in candidates]
    origins: dict[str, list[str]] = defaultdict(list)
    for one, vehicle in zip(candidates, vehicles, strict=True):
        if vehicle is not None:
            origins[vehicle.change.id].append(one.change.id)
    return [
        _link(one, vehicle, origins[one.candidate.change.id], alike[one.candidate.bases, probability])
        for one, vehicle, probability in zip(weighed, vehicles, probabilities, strict=True)
    ]


def _link(one: Weighed, vehicle: Candidate | None, origins: Sequence[str], alike: set[str]) -> Link:
    mine = one.candidate
    carrying = () if vehicle is None else (vehicle.change.id,)
    ids = {*mine.also_reported, *one.partners, *carrying, *origins, *alike} - {mine.change.id}
    return Link(_role(mine, vehicle, origins), tuple(sorted(ids)))


def _role(mine: Candidate, vehicle: Candidate | None, origins: Sequence[str]) -> Role:
    if vehicle is not None:
        return Role.ORIGIN
    return Role.ORIGIN if mine.change.kind in _ORIGINS and not origins else Role.VEHICLE


def vehicle_of(origin: Candidate, bringing: Mapping[str, Sequence[Candidate]]) -> Candidate | None:
    """The first change that brought a version through which alone requests meet ``origin``; None when there is none.

    Args:
        origin: What may have been carried.
        bringing: Candidates by the version that they brought.
    """
    carried = [
        one
        for version in origin.new_nodes
        for one in bringing.get(version, ())
        if one.bases != origin.bases and one.acts_ns >= origin.change.effective_ns
    ]
    return min(carried, key=lambda one: (one.acts_ns, -one.change.effective_ns, stable_key(one)), default=None)
