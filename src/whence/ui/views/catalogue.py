"""Find things, and look at one."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request

from whence.ui.api_client import ApiClient
from whence.ui.shown import Shown

KINDS = ("service", "model", "dataset", "job", "prompt", "flag", "external")
ON_A_PAGE = 50
CHANGES = 20
NEIGHBOUR_WINDOW = "-7d"


async def catalogue(api: ApiClient, request: Request) -> Shown:
    """Search over everything."""
    query = {name: request.query_params.get(name, "") for name in ("q", "kind", "owner", "cursor")}
    asked = {name: value for name, value in query.items() if value}
    found = await api.get("/api/v1/entities", limit=ON_A_PAGE, **asked)
    return Shown("catalogue.html", found.data(), {"query": query, "kinds": KINDS})


async def entity(api: ApiClient, request: Request) -> Shown:
    """One thing: what it is, what it needs, what needs it, and what changed."""
    path = f"/api/v1/entities/{quote(request.path_params['ref'], safe='')}"
    found = (await api.get(path)).data()
    asked = {"entity": found["key"], "from": NEIGHBOUR_WINDOW, "depth": 1}
    changes = await api.get("/api/v1/changes", entity=found["base"], limit=CHANGES, **{"from": NEIGHBOUR_WINDOW})
    upstream, downstream = await api.get("/api/v1/upstream", **asked), await api.get("/api/v1/downstream", **asked)
    data = {
        "entity": found,
        "changes": changes.data()["items"],
        "needs": _others(upstream.data()["entities"], found["base"]),
        "needed_by": _others(downstream.data()["entities"], found["base"]),
        "owners": downstream.data()["owners"],
    }
    return Shown("entity.html", data, {"window": NEIGHBOUR_WINDOW.removeprefix("-")})


def _others(entities: list[dict[str, object]], base: str) -> list[dict[str, object]]:
    """Neighbours as entities, each once."""
    seen = {one["base"]: one for one in entities if one["base"] != base}
    return [seen[key] for key in sorted(seen, key=str)]
