"""From events to an incident. The order in which events arrive does not matter, only when they happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from whence.incidents.events import AlertEvent, AnswerEvent, Event, Status
from whence.model.times import NS_PER_SECOND

MERGED, PARTED, SPLIT = "merged", "parted", "split"
JOINS = frozenset({MERGED, PARTED})
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
    merged_into: str | None
    """Where it goes on, where somebody said that it is part of another incident."""
    merged: list[str]
    """Incidents that are part of this one."""
    events: list[Event]
    truncated: bool
    """Whether so much happened that the earliest events are left out."""


def incident_of(
    incident_id: str, happened: Iterable[Event], of_merged: Iterable[Event] = (), *, truncated: bool = False
) -> IncidentJson:
    """What events add up to.

    Args:
        incident_id: Its id.
        happened: At least one event, in any order.
        of_merged: What happened to those that are part of it: their alerts are its alerts, and it hurts where they do
            unless its own events say where.
        truncated: Whether there are earlier events than these.
    """
    events, others = _in_order(happened), _in_order(of_merged)
    here = [*remaining(incident_id, events), *others]
    alerts = _latest_alerts(here)
    answers = [one for one in events if one["kind"] == "answer"]
    status = _status(events, alerts, answers)
    entity = next((one["entity"] for one in reversed((*others, *events)) if one["kind"] == "entity"), None)
    first: Mapping[str, Any] = alerts[0] if alerts else {}
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
        "opened_at": min((one.get("started_at") or one["at"] for one in here), key=_seconds),
        "updated_at": max((one["at"] for one in (*events, *others)), key=_seconds),
        "resolved_at": _resolved_at(events, alerts) if status is Status.RESOLVED else None,
        "alerts": alerts,
        "answers": answers,
        "merged_into": merged_into(incident_id, events),
        "merged": merged(incident_id, events),
        "events": _in_order([*events, *others]),
        "truncated": truncated,
    }


def merged_into(incident_id: str, events: Iterable[Event]) -> str | None:
    """The incident that this one is part of now, if any."""
    joins = [one for one in _in_order(events) if one["kind"] in JOINS and one["of"] == incident_id]
    return joins[-1]["into"] if joins and joins[-1]["kind"] == MERGED else None


def merged(incident_id: str, events: Iterable[Event]) -> list[str]:
    """Incidents that are part of this one now."""
    last = {one["of"]: one["kind"] for one in _in_order(events) if one["kind"] in JOINS and one["into"] == incident_id}
    return sorted(other for other, kind in last.items() if kind == MERGED)


def remaining(incident_id: str, events: Iterable[Event]) -> list[Any]:
    """Events of an incident without those of alerts that were moved to another one."""
    ordered = _in_order(events)
    where = {tuple(alert): one["into"] for one in ordered if one["kind"] == SPLIT for alert in one["alerts"]}
    return [
        one
        for one in ordered
        if one["kind"] != "alert" or where.get((one["source"], one["key"]), incident_id) == incident_id
    ]


def takes(incident: IncidentJson, source: str, key: str) -> bool:
    """Whether an alert of its group is its own: not if it was moved away, nor where only others were moved to."""
    splits: list[Any] = [one for one in incident["events"] if one["kind"] == SPLIT]
    moved = [one["into"] for one in splits if [source, key] in one["alerts"]]
    if moved:
        return bool(moved[-1] == incident["id"])
    return all(one["into"] != incident["id"] for one in splits)


def belongs(incident: IncidentJson, started_at: str) -> bool:
    """Whether an alert of its group that began then is part of it: while it lasts, or soon before or after."""
    started = _seconds(started_at)
    if started < _seconds(incident["opened_at"]) - REOPEN_WITHIN_S:
        return False
    resolved = incident["resolved_at"]
    return resolved is None or started <= _seconds(resolved) + REOPEN_WITHIN_S


def _in_order(events: Iterable[Any]) -> list[Any]:
    return sorted(events, key=lambda one: (_seconds(one["at"]), one["kind"], str(sorted(one.items()))))


def _latest_alerts(events: Iterable[Any]) -> list[AlertEvent]:
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
