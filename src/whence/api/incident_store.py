"""Incidents in the store: one document for each, one for each event, and an index by group of alerts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from whence.api.context import Context
from whence.api.frozen import content_id, freeze
from whence.errors import NotFound
from whence.incidents.events import AlertEvent, alert_event
from whence.incidents.life import (
    SPLIT,
    IncidentJson,
    belongs,
    incident_of,
    merged,
    merged_into,
    remaining,
    takes,
)
from whence.model.alert import Alert
from whence.model.times import format_time, parse_time_ns
from whence.store.protocol import MAX_PAGE, Document, GraphReader

KIND = "incident"
MOST_EVENTS = 1_000
"""Of one incident, the latest; it says so when there may be more."""
MOST_MERGED = 50
"""Incidents that may be part of one."""
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
        touched[await goes_on(context.store, incident_id)] = None
    return tuple(touched)


async def goes_on(reader: GraphReader, incident_id: str) -> str:
    """The incident that one is part of by now, however indirectly; itself where it is part of none."""
    seen = {incident_id}
    while (into := merged_into(incident_id, await _happened(reader, incident_id))) is not None and into not in seen:
        seen.add(into)
        incident_id = into
    return incident_id


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
    own = await _happened(reader, incident_id)
    others = await _of_merged(reader, merged(incident_id, own), {incident_id})
    return incident_of(incident_id, own, others, truncated=len(own) >= MOST_EVENTS)


async def _of_merged(reader: GraphReader, incidents: Iterable[str], seen: set[str]) -> list[Any]:
    """What happened to incidents that are part of another one, and to those that are part of them."""
    events: list[Any] = []
    for one in incidents:
        if one not in seen and len(seen) < MOST_MERGED:
            seen.add(one)
            own = await _happened(reader, one)
            events += remaining(one, own)
            events += await _of_merged(reader, merged(one, own), seen)
    return events


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
    return events[:MOST_EVENTS]


async def _incident_for(context: Context, alert: Alert, event: AlertEvent) -> str:
    """The incident of its group that an alert belongs to; a new one where none is near enough in time."""
    group = content_id("grp", {"source": alert.source, "group": alert.group})
    for member in (await context.store.documents(_group(group), GROUP_MEMBERS, None)).items:
        known = await read(context.store, member.id)
        if belongs(known, event["started_at"]) and takes(known, event["source"], event["key"]):
            return member.id
    incident_id = content_id("inc", {"group": group, "started_at": event["started_at"]})
    # The event goes first, so that whoever sees the incident finds something in it.
    await add(context, incident_id, {**event})
    body = freeze({"source": alert.source, "group": alert.group})
    await context.store.save(Document(KIND, incident_id, alert.started_ns, body))
    await context.store.save(Document(_group(group), incident_id, alert.started_ns, body))
    return incident_id


async def split_off(context: Context, incident: IncidentJson, alerts: Sequence[AlertEvent], actor: str | None) -> str:
    """Give some alerts of an incident, and what they do from now on, one of their own; its id."""
    moved = sorted([one["source"], one["key"]] for one in alerts)
    now = context.clock()
    new_id = content_id("inc", {"of": incident["id"], "alerts": moved, "at": now})
    split = {"kind": SPLIT, "at": format_time(now), "of": incident["id"], "into": new_id, "alerts": moved}
    events: Sequence[Any] = incident["events"]
    for event in events:
        if event["kind"] == "alert" and [event["source"], event["key"]] in moved:
            await add(context, new_id, {**event})
    for one in (new_id, incident["id"], *incident["merged"]):
        await add(context, one, {**split, "actor": actor})
    started_ns = min(parse_time_ns(one["started_at"], now_ns=now) for one in alerts)
    for one in (*incident["merged"], incident["id"]):
        document = await context.store.document(KIND, one)
        if document is not None:
            await context.store.save(Document(_group_of(document), new_id, started_ns, document.body))
            await context.store.save(Document(KIND, new_id, started_ns, document.body))
    return new_id


async def join(context: Context, kind: str, of: str, into: str, actor: str | None) -> None:
    """Keep that one incident is part of another, or isn't any more, with both of them."""
    event = {"kind": kind, "at": format_time(context.clock()), "of": of, "into": into, "actor": actor}
    for one in (of, into):
        await add(context, one, event)


def _events(incident_id: str) -> str:
    return f"incident-events:{incident_id}"


def _group_of(incident: Document) -> str:
    """Kind of the documents that tell which incidents the alerts of its group belong to."""
    known = json.loads(incident.body)
    return _group(content_id("grp", {"source": known["source"], "group": known["group"]}))


def _group(group: str) -> str:
    return f"incident-group:{group}"
