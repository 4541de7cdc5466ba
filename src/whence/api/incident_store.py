"""Incidents in the store: one document for each, one for each event, and an index by group of alerts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from whence.api.context import Context
from whence.api.frozen import content_id, freeze
from whence.errors import NotFound
from whence.incidents.events import AlertEvent, alert_event
from whence.incidents.life import IncidentJson, belongs, incident_of
from whence.model.alert import Alert
from whence.store.protocol import MAX_PAGE, Document, GraphReader

KIND = "incident"
MOST_EVENTS = 1_000
GROUP_MEMBERS = 20
"""Latest incidents of a group that an alert may belong to."""


class IncidentPage(NamedTuple):
    """Some incidents, and the cursor of the next."""

    items: list[IncidentJson]
    cursor: str | None


async def take_alerts(context: Context, alerts: Iterable[Alert]) -> tuple[str, ...]:
    """Add alerts to the incidents that they belong to, opening those that are missing; ids, each once, in order."""
    touched: dict[str, None] = {}
    for alert in alerts:
        event = alert_event(alert)
        incident_id = await _incident_for(context, alert, event)
        await add(context, incident_id, {**event})
        touched[incident_id] = None
    return tuple(touched)


async def add(context: Context, incident_id: str, event: Mapping[str, Any]) -> None:
    """Keep one event; the same again is the same document."""
    document = Document(_events(incident_id), content_id("evt", event), context.clock(), freeze(event))
    await context.store.save(document)


async def read(reader: GraphReader, incident_id: str) -> IncidentJson:
    """An incident as it stands.

    Raises:
        NotFound: There is none of that id.
    """
    if await reader.document(KIND, incident_id) is None:
        raise NotFound(f"there is no incident {incident_id[:100]!r}")
    return incident_of(incident_id, await _happened(reader, incident_id))


async def latest(reader: GraphReader, limit: int, cursor: str | None) -> IncidentPage:
    """Incidents, the latest opened first."""
    found = await reader.documents(KIND, limit, cursor)
    return IncidentPage([await read(reader, one.id) for one in found.items], found.cursor)


async def _happened(reader: GraphReader, incident_id: str) -> list[Any]:
    events: list[Any] = []
    cursor = None
    while len(events) < MOST_EVENTS:
        page = await reader.documents(_events(incident_id), MAX_PAGE, cursor)
        events += [json.loads(one.body) for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    return events


async def _incident_for(context: Context, alert: Alert, event: AlertEvent) -> str:
    """The incident of its group that an alert belongs to; a new one where none is near enough in time."""
    group = content_id("grp", {"source": alert.source, "group": alert.group})
    for member in (await context.store.documents(_group(group), GROUP_MEMBERS, None)).items:
        if belongs(await read(context.store, member.id), event["started_at"]):
            return member.id
    incident_id = content_id("inc", {"group": group, "started_at": event["started_at"]})
    # The event goes first, so that whoever sees the incident finds something in it.
    await add(context, incident_id, {**event})
    body = freeze({"source": alert.source, "group": alert.group})
    await context.store.save(Document(KIND, incident_id, alert.started_ns, body))
    await context.store.save(Document(_group(group), incident_id, alert.started_ns, body))
    return incident_id


def _events(incident_id: str) -> str:
    return f"incident-events:{incident_id}"


def _group(group: str) -> str:
    return f"incident-group:{group}"
