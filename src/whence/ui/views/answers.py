"""Ask, read an answer, and say what is true of it."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from whence.ui.api_client import ApiClient, ApiProblem, Reply
from whence.ui.charts.bars import multiples, symptom_bars
from whence.ui.charts.forest import forest
from whence.ui.charts.layers import layers
from whence.ui.charts.steps import steps
from whence.ui.charts.timeline import timeline
from whence.ui.shown import SEE_OTHER, VARIES, Record, Shown, form_of, wants_json

MOST_VERDICTS = 200
FAINT = 0.05
"""Suspects below this probability, unless they rank first, are folded away."""
CONFIRMED = frozenset({"confirmed", "contributing"})
_PASSED_ON = ("etag", "cache-control")
_DOCUMENT = ("content-type", "content-security-policy")


async def ask(api: ApiClient, request: Request) -> Response:
    """Ask, and go to the answer."""
    form = await form_of(request)
    symptom = {name: form.get(name) for name in ("entity", "operation", "signal")}
    body = {
        "symptom": {**symptom, "entity": form.get("entity", "")},
        "detected_at": form.get("detected_at"),
        "onset": form.get("onset"),
        "environment": form.get("environment"),
    }
    reply = await api.post("/api/v1/investigations", body)
    return RedirectResponse(f"/investigations/{quote(reply.data()['id'], safe='')}", SEE_OTHER)


async def answer(api: ApiClient, request: Request) -> Shown | Response:
    """An answer: for programs the API's bytes, for people the page."""
    path = _answer_path(request)
    reply = await api.get(path)
    if wants_json(request):
        return _bytes_of(reply)
    return await answer_page(api, reply.data())


async def answer_page(api: ApiClient, given: Record) -> Shown:
    """The page of an answer that was read."""
    path = f"/api/v1/investigations/{quote(given['id'], safe='')}"
    verdicts = (await api.get(f"{path}/feedback", limit=MOST_VERDICTS)).data()["items"]
    latest = {one["change_id"]: one["verdict"] for one in reversed(verdicts) if one["change_id"]}
    exhibits = await _if_there(api, f"{path}/exhibits")
    leading = [one for one in given["suspects"] if one["rank"] == 1 or one["probability"] >= FAINT]
    extra = {
        "verdicts": latest,
        "said": verdicts,
        "leading": leading,
        "faint": given["suspects"][len(leading) :],
        "similar": await _similar(api, path),
        "is_confirmed": bool(CONFIRMED & set(latest.values())),
        **pictures(given, exhibits, verdicts),
    }
    return Shown("answer.html", {"answer": given}, extra)


def pictures(given: Record, exhibits: Record | None, said: list[Record]) -> Record:
    """Everything that is drawn; answers older than exhibits have only what the answer itself holds."""
    detected = exhibits["detected_at"] if exhibits is not None else given["as_of"]
    graph = exhibits["graph"] if exhibits is not None else None
    return {
        "exhibits": exhibits,
        "symptom_bars": symptom_bars(given, exhibits) if exhibits is not None else None,
        "multiples": multiples(given, exhibits) if exhibits is not None else {},
        "steps": steps(exhibits) if exhibits is not None else (),
        "graph": layers(graph["nodes"], graph["edges"]) if graph is not None else None,
        "forest": forest(given),
        "timeline": timeline(given, detected, said),
    }


async def postmortem(api: ApiClient, request: Request) -> Response:
    """The draft, as the API writes it."""
    path = f"/api/v1{request.url.path}"
    reply = await api.get(path, format=request.query_params.get("format", "html"))
    passed = {name: reply.headers[name] for name in _DOCUMENT if name in reply.headers}
    return Response(reply.content, reply.status, passed)


async def judge(api: ApiClient, request: Request) -> Response:
    """Keep what a person says of a suspect or of the whole answer, and show the answer again."""
    form = await form_of(request)
    body = {name: form.get(name) for name in ("verdict", "change_id", "comment")}
    await api.post(f"{_answer_path(request)}/feedback", body)
    return RedirectResponse(request.url.path.removesuffix("/feedback"), SEE_OTHER)


async def _similar(api: ApiClient, path: str) -> list[Record]:
    """Earlier incidents like this one; none for answers that are older than fingerprints."""
    found = await _if_there(api, f"{path}/similar")
    return found["items"] if found is not None else []


async def _if_there(api: ApiClient, path: str) -> Record | None:
    try:
        found: Record = (await api.get(path)).data()
    except ApiProblem as problem:
        if problem.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return found


def _bytes_of(reply: Reply) -> Response:
    passed = {name: reply.headers[name] for name in _PASSED_ON if name in reply.headers}
    return Response(reply.content, reply.status, passed | VARIES, media_type="application/json")


def _answer_path(request: Request) -> str:
    return f"/api/v1/investigations/{quote(request.path_params['answer_id'], safe='')}"
