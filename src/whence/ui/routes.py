"""Addresses of the pages.

A page and its JSON twin share one address: ``Accept: application/json``, or ``.json`` at the end, gives the twin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from whence.ui.api_client import TOKEN_COOKIE, ApiClient, ApiProblem, Reply
from whence.ui.render import HERE, Pages

RECENT = 20
NAMES_SUGGESTED = 200
SIGNALS = ("errors", "latency", "quality", "freshness", "volume")
_SEE_OTHER = 303
_VARIES = {"vary": "Accept, Cookie"}
_UNAUTHENTICATED = 401

Handler = Callable[[Request], Awaitable[Response]]


def page_routes(api: ASGIApp) -> list[BaseRoute]:
    """Routes of all pages over an API; they belong into the app that serves it."""
    views = _Views(api)
    return [
        Route("/", views.guarded(views.home)),
        Route("/investigations", views.guarded(views.ask), methods=["POST"]),
        Route("/investigations/{answer_id}.json", views.guarded(views.answer_json)),
        Route("/investigations/{answer_id}", views.guarded(views.answer)),
        Route("/investigations/{answer_id}/feedback", views.guarded(views.judge), methods=["POST"]),
        Route("/login", views.login_form),
        Route("/login", views.login, methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
    ]


class _Views:
    """One method for each address."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api
        self._pages = Pages()

    def guarded(self, view: Handler) -> Handler:
        """The view, with errors of the API shown as a page; a visitor without a token is asked for one."""

        async def handler(request: Request) -> Response:
            try:
                return await view(request)
            except ApiProblem as error:
                if _wants_json(request):
                    return _problem_json(error)
                if error.status == _UNAUTHENTICATED:
                    return RedirectResponse("/login", _SEE_OTHER)
                return self._pages.page("problem.html", error.status, problem=error.problem)

        return handler

    async def home(self, request: Request) -> Response:
        """What was asked lately, what changed lately, and a form to ask."""
        api = ApiClient(self._api, request)
        answers = await api.get("/api/v1/investigations", limit=RECENT)
        changes = await api.get("/api/v1/changes", limit=RECENT)
        recent = {"answers": answers.data()["items"], "changes": changes.data()["items"]}
        if _wants_json(request):
            return JSONResponse(recent, headers=_VARIES)
        names = await api.get("/api/v1/entities", limit=NAMES_SUGGESTED)
        return self._pages.page("home.html", **recent, names=names.data()["items"], signals=SIGNALS)

    async def ask(self, request: Request) -> Response:
        """Ask, and go to the answer."""
        form = await _form(request)
        symptom = {name: form.get(name) for name in ("entity", "operation", "signal")}
        body = {
            "symptom": {**symptom, "entity": form.get("entity", "")},
            "detected_at": form.get("detected_at"),
            "onset": form.get("onset"),
            "environment": form.get("environment"),
        }
        reply = await ApiClient(self._api, request).post("/api/v1/investigations", body)
        return RedirectResponse(f"/investigations/{quote(reply.data()['id'], safe='')}", _SEE_OTHER)

    async def answer(self, request: Request) -> Response:
        """An answer, for people or for programs."""
        if _wants_json(request):
            return await self.answer_json(request)
        reply = await self._answer(request)
        path = f"{_answer_path(request)}/feedback"
        verdicts = await ApiClient(self._api, request).get(path, limit=NAMES_SUGGESTED)
        latest = {one["change_id"]: one["verdict"] for one in reversed(verdicts.data()["items"])}
        return self._pages.page("answer.html", answer=reply.data(), verdicts=latest)

    async def answer_json(self, request: Request) -> Response:
        """The API's bytes."""
        reply = await self._answer(request)
        passed = {name: reply.headers[name] for name in ("etag", "cache-control") if name in reply.headers}
        return Response(reply.content, reply.status, passed | _VARIES, media_type="application/json")

    async def judge(self, request: Request) -> Response:
        """Keep what a person says of a suspect, and show the answer again."""
        form = await _form(request)
        body = {"verdict": form.get("verdict"), "change_id": form.get("change_id")}
        await ApiClient(self._api, request).post(f"{_answer_path(request)}/feedback", body)
        return RedirectResponse(request.url.path.removesuffix("/feedback"), _SEE_OTHER)

    async def login_form(self, request: Request) -> Response:
        """Ask for a token."""
        return self._pages.page("login.html")

    async def login(self, request: Request) -> Response:
        """Keep the token in a cookie that no script can read and no other site can send."""
        token = (await _form(request)).get("token", "")
        response = RedirectResponse("/", _SEE_OTHER)
        is_https = request.url.scheme == "https"
        response.set_cookie(TOKEN_COOKIE, token, httponly=True, samesite="strict", secure=is_https)
        return response

    async def _answer(self, request: Request) -> Reply:
        return await ApiClient(self._api, request).get(_answer_path(request))


def _answer_path(request: Request) -> str:
    return f"/api/v1/investigations/{quote(request.path_params['answer_id'], safe='')}"


def _wants_json(request: Request) -> bool:
    """Whether a program asks. A browser names HTML; what accepts anything gets the page."""
    return request.url.path.endswith(".json") or "application/json" in request.headers.get("accept", "")


def _problem_json(error: ApiProblem) -> Response:
    return JSONResponse(error.problem, error.status, media_type="application/problem+json")


async def _form(request: Request) -> dict[str, str]:
    """Fields of a form that were filled in."""
    return {name: value.strip() for name, value in parse_qsl((await request.body()).decode("utf-8", "replace"))}
