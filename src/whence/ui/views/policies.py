"""What is forbidden along lineage, and who does it."""

from __future__ import annotations

from starlette.requests import Request

from whence.ui.api_client import ApiClient
from whence.ui.shown import Shown

DEFAULT_WINDOW = "-7d"


async def policies(api: ApiClient, request: Request) -> Shown:
    """Policies in force, and what breaks them: in the last week, or as of another time."""
    query = {name: request.query_params.get(name, "") for name in ("policy", "environment", "from", "to")}
    asked = {"from": DEFAULT_WINDOW} | {name: value for name, value in query.items() if value}
    kept = (await api.get("/api/v1/policies")).data()["items"]
    found = (await api.get("/api/v1/violations", **asked)).data()
    return Shown("policies.html", {"policies": kept, "violations": found}, {"query": query, "window": asked["from"]})
