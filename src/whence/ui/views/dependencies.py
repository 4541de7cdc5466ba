"""What production does beside what files say."""

from __future__ import annotations

from starlette.requests import Request

from whence.ui.api_client import ApiClient
from whence.ui.shown import Shown

STATUSES = {
    "undeclared": "used, but no file says so",
    "unused": "declared, but never used",
    "blind_spot": "declared, and nobody could have seen a use",
    "unexpected_version": "used in a version that no file expects",
}
DEFAULT_WINDOW = "-7d"
ON_A_PAGE = 50


async def dependencies(api: ApiClient, request: Request) -> Shown:
    """Differences between declared and observed, those of one kind, owner or thing if asked."""
    names = ("status", "entity", "owner", "environment", "from", "cursor")
    query = {name: request.query_params.get(name, "") for name in names}
    asked = {"from": DEFAULT_WINDOW} | {name: value for name, value in query.items() if value}
    found = await api.get("/api/v1/undeclared", limit=ON_A_PAGE, **asked)
    return Shown("dependencies.html", found.data(), {"query": query, "statuses": STATUSES, "window": asked["from"]})
