"""What is wrong now, what changed today, and what can't be seen."""

from __future__ import annotations

from starlette.requests import Request

from whence.ui.api_client import ApiClient
from whence.ui.charts.timeline import LANE_OF, LANES
from whence.ui.shown import Record, Shown

RECENT = 20
CHANGES = 200
NAMES_SUGGESTED = 200
SHOWN_PER_LANE = 6
SIGNALS = ("errors", "latency", "quality", "freshness", "volume")


async def home(api: ApiClient, request: Request) -> Shown:
    """The first page."""
    answers = await api.get("/api/v1/investigations", limit=RECENT)
    changes = await api.get("/api/v1/changes", limit=CHANGES)
    incidents = await api.get("/api/v1/incidents", limit=RECENT)
    trust = await api.get("/api/v1/trust")
    data = {
        "incidents": [one for one in incidents.data()["items"] if one["status"] != "resolved"],
        "answers": answers.data()["items"],
        "changes": changes.data()["items"],
        "trust": trust.data(),
    }
    names = await api.get("/api/v1/entities", limit=NAMES_SUGGESTED)
    extra = {"lanes": by_lane(data["changes"]), "names": names.data()["items"], "signals": SIGNALS}
    return Shown("home.html", data, extra | {"shown_per_lane": SHOWN_PER_LANE})


def by_lane(changes: list[Record]) -> dict[str, list[Record]]:
    """Changes by lane, only lanes that have some."""
    found = {lane: [one for one in changes if LANE_OF.get(one["kind"], "people") == lane] for lane in LANES}
    return {lane: members for lane, members in found.items() if members}
