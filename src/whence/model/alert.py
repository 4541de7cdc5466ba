"""An alert: another tool's word that something hurts, or that it does no more."""

from __future__ import annotations

from dataclasses import dataclass

from whence.model.kinds import Signal


@dataclass(frozen=True, slots=True)
class Alert:
    """One state of one alert. Two deliveries of the same state are equal."""

    source: str
    group: str
    """What its source puts together; alerts of one group belong to one incident."""
    key: str
    """Which alert it is within its source."""
    is_firing: bool
    title: str
    started_ns: int
    """When it began to fire."""
    at_ns: int
    """When this state began: as ``started_ns`` while it fires, else when it ended."""
    names: tuple[str, ...] = ()
    """What may hurt, as references or bare names, the most explicit first."""
    environment: str | None = None
    operation: str | None = None
    signal: Signal | None = None
    summary: str | None = None
    url: str | None = None
