"""An incident as a person states it: where it hurts, how, and since when."""

from __future__ import annotations

from dataclasses import dataclass

from whence.model.kinds import Signal


@dataclass(frozen=True, slots=True)
class Symptom:
    """Where and how it hurts. ``signal`` None means: find out."""

    entity: str
    operation: str | None = None
    signal: Signal | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """The question. All instants are UTC nanoseconds; None means: find out, or no restriction."""

    symptom: Symptom
    detected_ns: int
    onset_ns: int | None = None
    environment: str | None = None
    as_of_ns: int | None = None
    """Use only what was true by then (event time)."""
    known_ns: int | None = None
    """Use only what had been learned by then."""
    limit: int = 10
