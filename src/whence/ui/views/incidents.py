"""Incidents: all of them, one with its answer, and saying where it stands."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from whence.ui.api_client import ApiClient
from whence.ui.shown import SEE_OTHER, Shown, form_of, ticked
from whence.ui.views.answers import answer_page

ON_A_PAGE = 50
NAMES_SUGGESTED = 200
STATUSES = ("mitigated", "resolved", "open")


async def incidents(api: ApiClient, request: Request) -> Shown:
    """The list."""
    cursor = request.query_params.get("cursor")
    found = await api.get("/api/v1/incidents", limit=ON_A_PAGE, **({"cursor": cursor} if cursor else {}))
    return Shown("incidents.html", found.data())


async def incident(api: ApiClient, request: Request) -> Shown:
    """One incident; with its latest answer where there is one, else with the question that is open."""
    found = (await api.get(_path(request))).data()
    extra = {"statuses": STATUSES, "others": await _others(api, found["id"])}
    if not found["answers"]:
        names = (await api.get("/api/v1/entities", limit=NAMES_SUGGESTED)).data()["items"]
        return Shown("incident_open.html", {"incident": found}, {**extra, "names": names})
    latest = f"/api/v1/investigations/{quote(found['answers'][-1]['investigation'], safe='')}"
    answered = await answer_page(api, (await api.get(latest)).data())
    return Shown("incident.html", {"incident": found, **answered.data}, {**answered.extra, **extra})


async def set_status(api: ApiClient, request: Request) -> Response:
    """Say where it stands."""
    form = await form_of(request)
    await api.post(f"{_path(request)}/status", {"status": form.get("status", "")})
    return _back(request)


async def set_entity(api: ApiClient, request: Request) -> Response:
    """Say what hurts."""
    form = await form_of(request)
    await api.post(f"{_path(request)}/entity", {"entity": form.get("entity", "")})
    return _back(request)


async def merge(api: ApiClient, request: Request) -> Response:
    """Say that another incident is part of this one."""
    form = await form_of(request)
    await api.post(f"{_path(request)}/merge", {"incident": form.get("incident", "")})
    return _back(request)


async def part(api: ApiClient, request: Request) -> Response:
    """Say that it isn't after all."""
    form = await form_of(request)
    await api.post(f"{_path(request)}/part", {"incident": form.get("incident", "")})
    return _back(request)


async def split(api: ApiClient, request: Request) -> Response:
    """Give some alerts an incident of their own, and go there."""
    chosen = await ticked(request, "alert")
    alerts = (await api.get(_path(request))).data()["alerts"]
    named = [{"source": one["source"], "key": one["key"]} for at, one in enumerate(alerts) if str(at) in chosen]
    new = (await api.post(f"{_path(request)}/split", {"alerts": named})).data()
    return RedirectResponse(f"/incidents/{quote(new['id'], safe='')}", SEE_OTHER)


async def again(api: ApiClient, request: Request) -> Response:
    """Ask again with what is known by now."""
    await api.post(f"{_path(request)}/investigations", {})
    return _back(request)


async def _others(api: ApiClient, incident_id: str) -> list[dict[str, Any]]:
    """Other incidents that aren't over, the latest first."""
    items = (await api.get("/api/v1/incidents", limit=ON_A_PAGE)).data()["items"]
    return [one for one in items if one["id"] != incident_id and one["status"] != "resolved"]


def _path(request: Request) -> str:
    return f"/api/v1/incidents/{quote(request.path_params['incident_id'], safe='')}"


def _back(request: Request) -> Response:
    return RedirectResponse(f"/incidents/{quote(request.path_params['incident_id'], safe='')}", SEE_OTHER)
