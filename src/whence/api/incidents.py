"""Incidents: opened by alerts or by hand, investigated at once, and closed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from whence.api import incident_store as kept
from whence.api.access import needs
from whence.api.answering import investigate_incident, tell_status
from whence.api.context import Ctx
from whence.api.links import LinkJson, links_of
from whence.api.paging import Cursor, Limit, PageJson, page
from whence.api.resolve import resolve
from whence.errors import InvalidQuery
from whence.incidents.events import Status
from whence.incidents.life import MERGED, PARTED, IncidentJson
from whence.intake.fields import instant_ns
from whence.model.alert import Alert
from whence.model.kinds import Signal
from whence.model.refs import MAX_REF_CHARS
from whence.model.times import format_time, parse_time_ns
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])

Text = Annotated[str | None, Field(max_length=256)]


class IncidentBody(BaseModel):
    """An incident that a person opens."""

    model_config = ConfigDict(frozen=True)

    title: str = Field(min_length=1, max_length=256)
    entity: str = Field(min_length=1, max_length=MAX_REF_CHARS, description="A reference, or a name that is unique.")
    operation: str | None = Field(None, max_length=512)
    signal: Signal | None = None
    environment: Text = None
    started_at: str | None = Field(None, max_length=64, description="RFC 3339, or relative to now; now when absent.")


class LinkedIncidentJson(IncidentJson):
    """An incident, and the operator's other tools at its time."""

    links: list[LinkJson]


class StatusBody(BaseModel):
    """Where it stands."""

    model_config = ConfigDict(frozen=True)

    status: Status
    actor: Text = None
    comment: str | None = Field(None, max_length=4096)


class EntityBody(BaseModel):
    """What hurts."""

    model_config = ConfigDict(frozen=True)

    entity: str = Field(min_length=1, max_length=MAX_REF_CHARS)
    actor: Text = None


class JoinBody(BaseModel):
    """Another incident."""

    model_config = ConfigDict(frozen=True)

    incident: str = Field(min_length=1, max_length=64)
    actor: Text = None


class AlertBody(BaseModel):
    """One alert of an incident."""

    model_config = ConfigDict(frozen=True)

    source: str = Field(min_length=1, max_length=256)
    key: str = Field(min_length=1, max_length=512)


class SplitBody(BaseModel):
    """Alerts that are about something else."""

    model_config = ConfigDict(frozen=True)

    alerts: list[AlertBody] = Field(min_length=1, max_length=200)
    actor: Text = None


@router.post("", status_code=201, dependencies=[needs(Scope.WRITE)])
async def open_incident(body: IncidentBody, context: Ctx, background: BackgroundTasks) -> IncidentJson:
    """Open an incident by hand; it is investigated at once."""
    now = context.clock()
    entity = await resolve(context.store, "entity", body.entity)
    started = instant_ns("started_at", body.started_at, now_ns=now) if body.started_at else now
    alert = Alert(
        source="api",
        group=f"{body.title}\n{entity.base}",
        key=body.title,
        is_firing=True,
        title=body.title,
        started_ns=started,
        at_ns=started,
        names=(entity.base,),
        environment=body.environment,
        operation=body.operation,
        signal=body.signal,
    )
    (incident_id,) = await kept.take_alerts(context, [alert])
    background.add_task(investigate_incident, context, incident_id)
    return await kept.read(context.store, incident_id)


@router.get("", dependencies=[needs(Scope.READ)])
async def list_incidents(
    context: Ctx,
    request: Request,
    response: Response,
    status: Annotated[list[Status] | None, Query(description="Only those that stand there, on this page.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageJson[IncidentJson]:
    """Incidents, the latest opened first, without those that are part of another one."""
    found = await kept.latest(context.store, limit, cursor)
    wanted = frozenset(one.value for one in status or Status)
    items = [one for one in found.items if one["status"] in wanted and one["merged_into"] is None]
    return page(items, found.cursor, request, response)


@router.get("/{incident_id}", dependencies=[needs(Scope.READ)])
async def read_incident(incident_id: str, context: Ctx) -> LinkedIncidentJson:
    """One incident with everything that happened to it, and where else to look."""
    found = await kept.read(context.store, incident_id)
    now = context.clock()
    opened_ns = parse_time_ns(found["opened_at"], now_ns=now)
    over_ns = parse_time_ns(found["resolved_at"], now_ns=now) if found["resolved_at"] else now
    return {**found, "links": links_of(context.settings, found["entity"], opened_ns, over_ns, found["environment"])}


@router.post("/{incident_id}/status", status_code=201, dependencies=[needs(Scope.WRITE)])
async def set_status(incident_id: str, body: StatusBody, context: Ctx) -> IncidentJson:
    """Say where it stands; whoever was told of an answer is told of it too."""
    await kept.read(context.store, incident_id)
    at = format_time(context.clock())
    event = {"kind": "status", "at": at, "status": body.status.value, "actor": body.actor, "comment": body.comment}
    await kept.add(context, incident_id, event)
    await tell_status(context, incident_id)
    return await kept.read(context.store, incident_id)


@router.post("/{incident_id}/entity", status_code=201, dependencies=[needs(Scope.WRITE)])
async def set_entity(incident_id: str, body: EntityBody, context: Ctx, background: BackgroundTasks) -> IncidentJson:
    """Say what hurts, where no rule could tell or a rule was wrong; it is investigated at once."""
    await kept.read(context.store, incident_id)
    entity = await resolve(context.store, "entity", body.entity)
    by = body.actor or "a person"
    event = {"kind": "entity", "at": format_time(context.clock()), "entity": entity.base, "by": by}
    await kept.add(context, incident_id, event)
    background.add_task(investigate_incident, context, incident_id)
    return await kept.read(context.store, incident_id)


@router.post("/{incident_id}/investigations", status_code=201, dependencies=[needs(Scope.WRITE)])
async def investigate_again(incident_id: str, context: Ctx) -> IncidentJson:
    """Ask again with what is known by now."""
    await kept.read(context.store, incident_id)
    await investigate_incident(context, incident_id)
    return await kept.read(context.store, incident_id)


@router.post("/{incident_id}/merge", status_code=201, dependencies=[needs(Scope.WRITE)])
async def merge(incident_id: str, body: JoinBody, context: Ctx, background: BackgroundTasks) -> IncidentJson:
    """Say that another incident is part of this one: its alerts come here from now on, and its page leads here."""
    into, other = await kept.read(context.store, incident_id), await kept.read(context.store, body.incident)
    if into["id"] == other["id"]:
        raise InvalidQuery("incident", "is this incident itself")
    for one in (into, other):
        if one["merged_into"] is not None:
            raise InvalidQuery("incident", f"{one['id']} is part of {one['merged_into']} already")
    await kept.join(context, MERGED, of=other["id"], into=into["id"], actor=body.actor)
    background.add_task(investigate_incident, context, incident_id)
    return await kept.read(context.store, incident_id)


@router.post("/{incident_id}/part", status_code=201, dependencies=[needs(Scope.WRITE)])
async def part(incident_id: str, body: JoinBody, context: Ctx) -> IncidentJson:
    """Say that another incident is no part of this one after all; it goes on by itself."""
    into = await kept.read(context.store, incident_id)
    if body.incident not in into["merged"]:
        raise InvalidQuery(
            "incident", f"{body.incident[:100]!r} is no part of it; those are: {', '.join(into['merged'])}"
        )
    await kept.join(context, PARTED, of=body.incident, into=into["id"], actor=body.actor)
    return await kept.read(context.store, body.incident)


@router.post("/{incident_id}/split", status_code=201, dependencies=[needs(Scope.WRITE)])
async def split(incident_id: str, body: SplitBody, context: Ctx, background: BackgroundTasks) -> IncidentJson:
    """Give some of its alerts an incident of their own, which is investigated at once; that incident."""
    incident = await kept.read(context.store, incident_id)
    if incident["merged_into"] is not None:
        raise InvalidQuery("incident", f"is part of {incident['merged_into']}: split that one")
    wanted = {(one.source, one.key) for one in body.alerts}
    moved = [one for one in incident["alerts"] if (one["source"], one["key"]) in wanted]
    if len(moved) < len(wanted):
        raise InvalidQuery("alerts", "not all of them are alerts of this incident")
    if len(moved) == len(incident["alerts"]):
        raise InvalidQuery("alerts", "are all that it has; one has to stay")
    new_id = await kept.split_off(context, incident, moved, body.actor)
    background.add_task(investigate_incident, context, new_id)
    return await kept.read(context.store, new_id)
