"""Addresses of the pages.

A page and its JSON twin share one address: ``Accept: application/json`` or ``?format=json`` gives the twin (an answer
also has one at ``.json``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from whence.ui.api_client import ApiClient, ApiProblem
from whence.ui.render import HERE, Pages
from whence.ui.shown import SEE_OTHER, VARIES, View, wants_json
from whence.ui.views import (
    answers,
    catalogue,
    dependencies,
    explore,
    figures,
    home,
    incidents,
    login,
    policies,
    trust,
)

_UNAUTHENTICATED = 401
_GET, _POST = ["GET"], ["POST"]

VIEWS: tuple[tuple[str, View, list[str]], ...] = (
    ("/", home.home, _GET),
    ("/investigations", answers.ask, _POST),
    ("/investigations/{answer_id}.json", answers.answer, _GET),
    ("/investigations/{answer_id}", answers.answer, _GET),
    ("/investigations/{answer_id}/feedback", answers.judge, _POST),
    ("/investigations/{answer_id}/postmortem", answers.postmortem, _GET),
    ("/incidents/{incident_id}/postmortem", answers.postmortem, _GET),
    ("/incidents", incidents.incidents, _GET),
    ("/incidents/{incident_id}", incidents.incident, _GET),
    ("/incidents/{incident_id}/status", incidents.set_status, _POST),
    ("/incidents/{incident_id}/entity", incidents.set_entity, _POST),
    ("/incidents/{incident_id}/merge", incidents.merge, _POST),
    ("/incidents/{incident_id}/part", incidents.part, _POST),
    ("/incidents/{incident_id}/split", incidents.split, _POST),
    ("/incidents/{incident_id}/again", incidents.again, _POST),
    ("/catalogue", catalogue.catalogue, _GET),
    ("/entities/{ref:path}", catalogue.entity, _GET),
    ("/explore", explore.explore, _GET),
    ("/export", explore.export, _GET),
    ("/dependencies", dependencies.dependencies, _GET),
    ("/policies", policies.policies, _GET),
    ("/kpis", figures.figures, _GET),
    ("/kpis/{name}", figures.facts, _GET),
    ("/trust", trust.trust, _GET),
    ("/login", login.login_form, _GET),
    ("/login", login.login, _POST),
)


def page_routes(api: ASGIApp) -> list[BaseRoute]:
    """Routes of all pages over an API; they belong into the app that serves it."""
    pages = Pages()
    routes: list[BaseRoute] = [
        Route(path, _handler(view, api, pages), methods=methods) for path, view, methods in VIEWS
    ]
    return [
        *routes,
        Route("/llms.txt", _for_agents),
        Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
    ]


async def _for_agents(_: Request) -> Response:
    """What an agent should know first; open to all, like the styles."""
    return FileResponse(HERE / "static" / "llms.txt", media_type="text/plain; charset=utf-8")


def _handler(view: View, api: ASGIApp, pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    """A view as a page or its twin; errors of the API become a page too, and who has no token is asked for one."""

    async def handler(request: Request) -> Response:
        try:
            shown = await view(ApiClient(api, request), request)
        except ApiProblem as error:
            return _problem(error, request, pages)
        if isinstance(shown, Response):
            return shown
        if wants_json(request):
            return JSONResponse(shown.data, headers=VARIES)
        return pages.page(shown.template, **shown.data, **shown.extra)

    return handler


def _problem(error: ApiProblem, request: Request, pages: Pages) -> Response:
    if wants_json(request):
        return JSONResponse(error.problem, error.status, media_type="application/problem+json")
    if error.status == _UNAUTHENTICATED:
        return RedirectResponse("/login", SEE_OTHER)
    return pages.page("problem.html", error.status, problem=error.problem)
