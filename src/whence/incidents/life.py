"""From events to an incident. The order in which events arrive does not matter, only when they happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from whence.incidents.events import AlertEvent, AnswerEvent, Event, Status
from whence.model.times import NS_PER_SECOND

REOPEN_WITHIN_S = 1_800
"""An alert that fires again so soon after it was over belongs to the same incident: it flaps."""


class IncidentJson(TypedDict):
    """An incident as it stands. ``asks`` says that nobody knows yet what hurts: a person has to say it."""

    id: str
    title: str
    status: str
    entity: str | None
    asks: bool
    names: list[str]
    operation: str | None
    signal: str | None
    environment: str | None
    opened_at: str
    updated_at: str
    resolved_at: str | None
    alerts: list[AlertEvent]
    answers: list[AnswerEvent]
    events: list[Event]


def incident_of(incident_id: str, happened: Iterable[Event]) -> IncidentJson:
    """What events add up to.

    Args:
        incident_id: Its id.
        happened: At least one event, in any order.
    """
    events: list[Any] = sorted(happened, key=lambda one: (_seconds(one["at"]), one["kind"], str(sorted(one.items()))))
    alerts = _latest_alerts(events)
    answers = [one for one in events if one["kind"] == "answer"]
    status = _status(events, alerts, answers)
    entity = next((one["entity"] for one in reversed(events) if one["kind"] == "entity"), None)
    first: Mapping[str, Any] = alerts[0] if alerts else {}
    opened = min((one.get("started_at") or one["at"] for one in events), key=_seconds)
    return {
        "id": incident_id,
        "title": first.get("title") or "incident",
        "status": status.value,
        "entity": entity,
        "asks": entity is None,
        "names": list(dict.fromkeys(name for one in alerts for name in one["names"])),
        "operation": first.get("operation"),
        "signal": first.get("signal"),
        "environment": first.get("environment"),
        "opened_at": opened,
        "updated_at": events[-1]["at"],
        "resolved_at": _resolved_at(events, alerts) if status is Status.RESOLVED else None,
        "alerts": alerts,
        "answers": answers,
        "events": events,
    }


def belongs(incident: IncidentJson, started_at: str) -> bool:
    """Whether an alert of its group that began then is part of it: while it lasts, or soon before or after."""
    started = _seconds(started_at)
    if started < _seconds(incident["opened_at"]) - REOPEN_WITHIN_S:
        return False
    resolved = incident["resolved_at"]
    return resolved is None or started <= _seconds(resolved) + REOPEN_WITHIN_S


def _latest_alerts(events: Sequence[Any]) -> list[AlertEvent]:
    """The last state of each alert, the longest firing first."""
    latest: dict[tuple[str, str], AlertEvent] = {}
    for event in events:
        if event["kind"] == "alert":
            latest[event["source"], event["key"]] = event
    return sorted(latest.values(), key=lambda one: (not one["firing"], _seconds(one["started_at"]), one["key"]))


def _status(events: Sequence[Any], alerts: Sequence[AlertEvent], answers: Sequence[AnswerEvent]) -> Status:
    """The last word counts: a person's, or an alert's that came after it."""
    said = [one for one in events if one["kind"] == "status"]
    moved = max((_seconds(one["at"]) for one in alerts), default=0.0)
    if said and _seconds(said[-1]["at"]) >= moved:
        return Status(said[-1]["status"])
    if alerts and not any(one["firing"] for one in alerts):
        return Status.RESOLVED
    return Status.INVESTIGATING if answers else Status.OPEN


def _resolved_at(events: Sequence[Any], alerts: Sequence[AlertEvent]) -> str | None:
    said = [one["at"] for one in events if one["kind"] == "status" and one["status"] == Status.RESOLVED.value]
    over = [one["at"] for one in alerts if not one["firing"]]
    return max([*said[-1:], *over], key=_seconds, default=None)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def age_seconds(text: str, now_ns: int) -> float:
    """How long ago a time was."""
    return now_ns / NS_PER_SECOND - _seconds(text)
