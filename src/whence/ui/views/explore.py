"""The graph around one thing, as of any time, grown on demand."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from whence.ui.api_client import ApiClient
from whence.ui.charts.layers import layers
from whence.ui.shown import Record, Shown
from whence.ui.things import entity_graph, with_differences

WINDOWS = {"15m": "15 minutes", "1h": "an hour", "1d": "a day", "7d": "a week"}
FIRST_HOPS = 2
MOST_HOPS = 6
STEPS_OF_HOP = 2
"""A hop between things may take two relations: from a thing to its version, and on from there."""
ZOOMS = (25, 50, 75, 100, 150)
NAMES_SUGGESTED = 200
MOST_BOXES = 150
"""Larger pictures are drawn on a canvas: thousands of SVG elements can't be panned at thirty frames a second."""


async def explore(api: ApiClient, request: Request) -> Shown:
    """A form alone, or the graph around the thing that was named."""
    query = _query(request)
    names = (await api.get("/api/v1/entities", limit=NAMES_SUGGESTED)).data()["items"]
    extra: Record = {"query": query, "names": names, "windows": WINDOWS, "zooms": ZOOMS}
    if not query["entity"]:
        nothing: Record = {"graph": None, "changes": [], "truncated": False}
        return Shown("explore.html", nothing, extra | {"picture": None, "is_large": False, "more": {}})
    found = await _graph(api, query)
    graph = entity_graph(found, query["hops"])
    if query["compare"]:
        graph = with_differences(graph, await _differences(api, query))
    return Shown(
        "explore.html",
        {"graph": graph, "changes": found.get("changes", []), "truncated": found["truncated"]},
        extra
        | {
            "picture": layers(graph["nodes"], graph["edges"], root_left=query["way"] == "downstream"),
            "is_large": len(graph["nodes"]) > MOST_BOXES,
            "more": _moves(query),
        },
    )


async def export(api: ApiClient, request: Request) -> Response:
    """The graph as a document, as the API writes it."""
    reply = await api.get("/api/v1/export", **request.query_params)
    return Response(reply.content, reply.status, {"content-type": reply.headers["content-type"]})


def _query(request: Request) -> Record:
    given = request.query_params
    hops = given.get("hops", "")
    zoom = given.get("zoom", "")
    return {
        "entity": given.get("entity", ""),
        "way": "downstream" if given.get("way") == "downstream" else "upstream",
        "at": given.get("at", ""),
        "window": given.get("window") if given.get("window") in WINDOWS else "1d",
        "hops": min(int(hops), MOST_HOPS) if hops.isdigit() and hops != "0" else FIRST_HOPS,
        "compare": given.get("compare", ""),
        "zoom": int(zoom) if zoom.isdigit() and int(zoom) in ZOOMS else 100,
    }


async def _graph(api: ApiClient, query: Record) -> Record:
    asked: Record = {"entity": query["entity"], "depth": query["hops"] * STEPS_OF_HOP}
    if query["at"]:
        asked["to"] = query["at"]
    else:
        asked["from"] = f"-{query['window']}"
    found: Record = (await api.get(f"/api/v1/{query['way']}", **asked)).data()
    return found


async def _differences(api: ApiClient, query: Record) -> Record:
    asked = {"entity": query["entity"], "depth": query["hops"] * STEPS_OF_HOP, "from": query["compare"], "width": "1h"}
    if query["at"]:
        asked["to"] = query["at"]
    found: Record = (await api.get("/api/v1/diff", **asked)).data()
    return found


def _moves(query: Record) -> dict[str, str]:
    """Addresses of the same picture, changed in one point."""

    def address(**changes: Any) -> str:
        return "/explore?" + urlencode({name: value for name, value in (query | changes).items() if value})

    moves = {f"zoom {zoom}": address(zoom=zoom) for zoom in ZOOMS}
    if query["hops"] < MOST_HOPS:
        moves["further"] = address(hops=query["hops"] + 1)
    other = "downstream" if query["way"] == "upstream" else "upstream"
    return moves | {"other way": address(way=other)}
