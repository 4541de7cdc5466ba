"""The answer to "what changed upstream?": ranked suspects, the case against each, and an honest "none of them"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from whence.model.change import Change
from whence.model.incident import Symptom


class Verdict(StrEnum):
    """What the answer amounts to."""

    SUSPECT = "suspect"
    TIE = "tie"
    NONE = "none"
    INSUFFICIENT = "insufficient"


class Band(StrEnum):
    """Words for a probability: from .85, from .60, from .35, and below."""

    VERY_LIKELY = "very likely"
    LIKELY = "likely"
    POSSIBLE = "possible"
    WEAK = "weak lead"


class Role(StrEnum):
    """Part that a suspect plays: where it began, what carried it here, or both in one."""

    ORIGIN = "origin"
    VEHICLE = "vehicle"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured fact for or against a suspect."""

    code: str
    """Constant name of the kind of evidence (``same_time_contrast``)."""
    direction: str
    """``for``, ``against`` or ``neutral``."""
    weight: float
    """Nats: log of how much likelier the fact is if the suspect is guilty than if it is a bystander."""
    sentence: str
    data: Mapping[str, object] = field(default_factory=dict)
    """The numbers behind the sentence, JSON-ready."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change ranked as possible cause. Never called a cause before a person confirms it."""

    rank: int
    probability: float
    band: Band
    role: Role
    change: Change
    path: tuple[str, ...]
    """Keys from the symptom to what was changed."""
    evidence: tuple[Evidence, ...]
    settle: str
    """What would separate it from the others."""
    owner: str | None = None
    links: tuple[str, ...] = ()
    with_changes: tuple[str, ...] = ()
    """Ids of changes that act together with this one, or shipped with it and can't be told apart."""


@dataclass(frozen=True, slots=True)
class NoneRow:
    """The row "no recorded change explains this"."""

    probability: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A change that was considered and put aside, with the deciding reason (constant) and a sentence."""

    change: Change
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """What the answer could see, each a share in [0, 1], and in words what it could not."""

    versions: float
    """Share of the traffic's nodes that carry a version."""
    changes: float
    """Share of versions first seen in the window that a recorded change announced; 1 when there were none."""
    sampling: float
    """Effective share of requests that were recorded."""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Onset:
    """When the symptom began, with its interval; UTC nanoseconds."""

    at_ns: int
    low_ns: int
    high_ns: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer. Probabilities of suspects and none sum to at most 1."""

    as_of_ns: int
    symptom: Symptom
    environment: str | None
    verdict: Verdict
    headline: str
    onset: Onset
    suspects: tuple[Suspect, ...]
    none: NoneRow
    ruled_out: tuple[RuledOut, ...]
    completeness: Completeness
    weights_version: str
    inputs_hash: str
    truncated: bool = False
