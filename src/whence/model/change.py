"""A change: anything that altered the running system at a time."""

from __future__ import annotations

from dataclasses import dataclass

from whence.model.kinds import ChangeKind


@dataclass(frozen=True, slots=True)
class Change:
    """One change, recorded by a person or a tool, or inferred from what spans showed.

    Two clocks: ``effective_ns`` is when it took effect, ``known_ns`` when we first learned of it. ``reported_ns``
    is the time of the latest report, by which repeated reports under one id are ordered.
    """

    id: str
    kind: ChangeKind
    subject: str
    """Key of the entity, or the bare name as it was given when it named nothing known yet."""
    effective_ns: int
    known_ns: int
    reported_ns: int
    from_version: str | None = None
    to_version: str | None = None
    environment: str = ""
    """Empty when the report named none: then it counts for every environment."""
    finished_ns: int | None = None
    actor: str | None = None
    url: str | None = None
    summary: str | None = None
    source: str = "api"
    recorded: bool = True
    """False when it was inferred from spans or synthesised."""
