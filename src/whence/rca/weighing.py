"""All evidence on every candidate, and what the candidates say of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from whence.model.answer import Evidence
from whence.rca.candidates import Candidate
from whence.rca.evidence.before_after import before_after
from whence.rca.evidence.clean_start import clean_start
from whence.rca.evidence.data_profile import data_profile
from whence.rca.evidence.explained_share import explained_share
from whence.rca.evidence.lead_time import lead_time
from whence.rca.evidence.origin import origin
from whence.rca.evidence.overdue import overdue_by
from whence.rca.evidence.path_flow import path_flow
from whence.rca.evidence.same_time_contrast import same_time_contrast
from whence.rca.evidence.signal_fit import signal_fit
from whence.rca.evidence.withdrawal import withdrawal
from whence.rca.scene import Scene

KINDS: tuple[Callable[[Candidate, Scene], Evidence | None], ...] = (
    lead_time,
    same_time_contrast,
    before_after,
    clean_start,
    explained_share,
    path_flow,
    origin,
    data_profile,
    overdue_by,
    signal_fit,
    withdrawal,
)
MOST_CANDIDATES = 200
"""Weighed in full; more are cut by timing and kind alone."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate with its evidence."""

    candidate: Candidate
    evidence: tuple[Evidence, ...]
    partners: tuple[str, ...] = ()
    """Ids of changes without which it would not, or may not, have hurt."""

    @property
    def nats(self) -> float:
        """Sum of the weights."""
        return sum(one.weight for one in self.evidence)

    def piece(self, code: str) -> Evidence | None:
        """One piece of its evidence."""
        return next((one for one in self.evidence if one.code == code), None)

    def having(self, piece: Evidence | None, partners: Sequence[str]) -> Weighed:
        """The same with one more piece of evidence and more partners."""
        more = () if piece is None else (piece,)
        return replace(self, evidence=(*self.evidence, *more), partners=tuple(sorted({*self.partners, *partners})))


def weigh(candidate: Candidate, scene: Scene) -> Weighed:
    """All evidence on one candidate."""
    pieces = (measure(candidate, scene) for measure in KINDS)
    return Weighed(candidate, tuple(piece for piece in pieces if piece is not None))


def by_timing(candidates: Sequence[Candidate], scene: Scene) -> list[Candidate]:
    """Candidates by what their timing and kind alone say, best first."""
    return sorted(candidates, key=lambda one: (-lead_time(one, scene).weight, stable_key(one)))


def stable_key(candidate: Candidate) -> tuple[int, str, str, str]:
    """Order of what is tied: the later change first, then by what it says."""
    change = candidate.change
    return (-change.effective_ns, change.kind.value, change.subject, change.id)
