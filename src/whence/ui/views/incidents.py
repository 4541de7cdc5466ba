"""Incidents: all of them, one with its answer, and saying where it stands."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from whence.ui.api_client import ApiClient
from whence.ui.shown import SEE_OTHER, Shown, form_of
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
    if not found["answers"]:
        names = (await api.get("/api/v1/entities", limit=NAMES_SUGGESTED)).data()["items"]
        return Shown("incident_open.html", {"incident": found}, {"statuses": STATUSES, "names": names})
    latest = f"/api/v1/investigations/{quote(found['answers'][-1]['investigation'], safe='')}"
    answered = await answer_page(api, (await api.get(latest)).data())
    return Shown("incident.html", {"incident": found, **answered.data}, {**answered.extra, "statuses": STATUSES})


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


async def again(api: ApiClient, request: Request) -> Response:
    """Ask again with what is known by now."""
    await api.post(f"{_path(request)}/investigations", {})
    return _back(request)


def _path(request: Request) -> str:
    return f"/api/v1/incidents/{quote(request.path_params['incident_id'], safe='')}"


def _back(request: Request) -> Response:
    return RedirectResponse(f"/incidents/{quote(request.path_params['incident_id'], safe='')}", SEE_OTHER)
