"""How often each pillar ships, and how well it does."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.requests import Request

from whence.ui.api_client import ApiClient
from whence.ui.shown import Shown

PILLARS = ("code", "model", "data")
DEFAULT_WINDOW = "-30d"
_FILTERS = ("team", "product", "environment", "from", "to")


async def figures(api: ApiClient, request: Request) -> Shown:
    """Figures by pillar, for everybody and each team."""
    query, asked = _query(request)
    found = (await api.get("/api/v1/kpis", **asked)).data()
    by_pillar = {pillar: [one for one in found["items"] if one["pillar"] == pillar] for pillar in PILLARS}
    return Shown("figures.html", found, {"query": query, "window": asked["from"], "by_pillar": by_pillar})


async def facts(api: ApiClient, request: Request) -> Shown:
    """What one figure is made of."""
    name = request.path_params["name"]
    query, asked = _query(request)
    found = (await api.get(f"/api/v1/kpis/{quote(name, safe='')}", **asked)).data()
    back = urlencode({key: value for key, value in query.items() if value})
    return Shown("facts.html", found, {"name": name, "window": asked["from"], "back": back})


def _query(request: Request) -> tuple[dict[str, str], dict[str, str]]:
    """What the visitor asked for, and what the API is asked."""
    query = {name: request.query_params.get(name, "") for name in _FILTERS}
    return query, {"from": DEFAULT_WINDOW} | {name: value for name, value in query.items() if value}
