"""What can happen to an incident. Ready for JSON; equal events are one event."""

from __future__ import annotations

from enum import StrEnum

from typing_extensions import TypedDict

from whence.model.alert import Alert
from whence.model.times import format_time


class Status(StrEnum):
    """Where an incident stands. The first two follow from alerts and answers; people say the others as well."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class AlertEvent(TypedDict):
    """An alert began to fire or was over."""

    kind: str
    at: str
    source: str
    key: str
    firing: bool
    title: str
    started_at: str
    names: list[str]
    environment: str | None
    operation: str | None
    signal: str | None
    summary: str | None
    url: str | None


class EntityEvent(TypedDict):
    """Somebody, or a rule, said what hurts."""

    kind: str
    at: str
    entity: str
    by: str


class StatusEvent(TypedDict):
    """Somebody said where it stands."""

    kind: str
    at: str
    status: str
    actor: str | None
    comment: str | None


class AnswerEvent(TypedDict):
    """It was investigated."""

    kind: str
    at: str
    investigation: str
    verdict: str
    headline: str
    finding: str
    """What it amounts to; equal ones are no news."""


class JoinEvent(TypedDict):
    """Somebody said that one incident is part of another, or that it isn't after all. Both incidents have it."""

    kind: str
    """``merged`` or ``parted``."""
    at: str
    of: str
    into: str
    actor: str | None


class SplitEvent(TypedDict):
    """Somebody moved some alerts, and what they do from then on, to an incident of their own. Both have it."""

    kind: str
    at: str
    of: str
    into: str
    alerts: list[list[str]]
    """Source and key of each."""
    actor: str | None


Event = AlertEvent | EntityEvent | StatusEvent | AnswerEvent | JoinEvent | SplitEvent


def alert_event(alert: Alert) -> AlertEvent:
    """An alert as an event; when it arrived is no part of it."""
    return {
        "kind": "alert",
        "at": format_time(alert.at_ns),
        "source": alert.source,
        "key": alert.key,
        "firing": alert.is_firing,
        "title": alert.title,
        "started_at": format_time(alert.started_ns),
        "names": list(alert.names),
        "environment": alert.environment,
        "operation": alert.operation,
        "signal": alert.signal.value if alert.signal is not None else None,
        "summary": alert.summary,
        "url": alert.url,
    }
