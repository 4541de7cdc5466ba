"""What an agent may keep at hand: things, answers and incidents by address, and two ways to begin."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import quote

from mcp.server import MCPServer
from pydantic import Field

from whence.mcp.asking import Asker
from whence.mcp.bounds import bounded

_JSON = "application/json"


def add_resources(server: MCPServer, api: Asker) -> None:
    """Register resources; each is what the API says, bounded, with the token of whoever reads it."""

    async def read(path: str, **params: Any) -> str:
        found = await api.get(path, **params)
        data = bounded(found)
        return json.dumps(data if data == found else {**data, "truncated": True}, ensure_ascii=False)

    @server.resource("whence://investigations/{investigation_id}", mime_type=_JSON)
    async def investigation(investigation_id: str) -> str:
        """A frozen answer: suspects with evidence, what was ruled out, what could not be seen."""
        return await read(f"/api/v1/investigations/{quote(investigation_id, safe='')}")

    @server.resource("whence://incidents/{incident_id}", mime_type=_JSON)
    async def incident(incident_id: str) -> str:
        """An incident with everything that happened to it."""
        return await read(f"/api/v1/incidents/{quote(incident_id, safe='')}")

    @server.resource("whence://entities/{name}", mime_type=_JSON)
    async def entity(name: str) -> str:
        """A service, model, dataset or job by its unique name: versions in use, users, owner, how to use it."""
        return await read("/api/v1/card", entity=name)


def add_prompts(server: MCPServer) -> None:
    """Register prompts."""

    @server.prompt(title="Investigate an incident")
    def investigate(
        entity: Annotated[str, Field(description="What hurts.")],
        since: Annotated[str, Field(description="When it was noticed; RFC 3339, or such as -15m.")] = "now",
    ) -> str:
        """From a symptom to the likely change upstream, with its evidence, and what would settle it."""
        noticed = "" if since == "now" else f" with detected_at {since}"
        return (
            f"Use `investigate` on {entity}{noticed}. Then read `get_evidence` of the first two suspects. Report: the "
            "verdict and probabilities as they are, the strongest evidence for and against each, what could not be "
            "seen, and what would settle it. Say nothing that `do_not_claim` forbids; a suspect is not yet the cause."
        )

    @server.prompt(title="Draft a postmortem")
    def postmortem(investigation_id: Annotated[str, Field(description="inv-...")]) -> str:
        """A draft from frozen evidence, with the questions that only people can answer left open."""
        return (
            f"Use `draft_postmortem` on {investigation_id}. Keep its numbers and times as they are. List its open "
            "questions for the people who were there, and answer none of them yourself."
        )
