"""The API as the tools see it: JSON over HTTP, with the token of whoever calls the tool."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import httpx
from mcp.server.mcpserver.exceptions import ToolError

AUTHORIZATION: ContextVar[str | None] = ContextVar("authorization", default=None)
"""Header of the request that is being answered; set where tools are called over HTTP."""
TIMEOUT_S = 60.0
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Refused(ToolError):
    """The API did not do it; the message is its own, or says what to do where something else answered."""


class Asker:
    """Asks one API.

    Args:
        base_url: Where it is.
        token: Sent where the request that is being answered brings none.
        transport: In place of the network.
        verify: How to verify the server; True is as everybody does it.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._token = token
        self._transport = transport
        self._verify = verify

    async def get(self, path: str, **params: object) -> Any:
        """GET with the parameters that are not None."""
        return await self._send("GET", path, params={key: value for key, value in params.items() if value is not None})

    async def post(self, path: str, body: Mapping[str, object]) -> Any:
        """POST of a JSON body."""
        return await self._send("POST", path, json=body)

    async def _send(self, method: str, path: str, **options: Any) -> Any:
        authorization = AUTHORIZATION.get() or (f"Bearer {self._token}" if self._token else None)
        headers = {"Authorization": authorization} if authorization else {}
        try:
            async with httpx.AsyncClient(
                transport=self._transport, base_url=self.base_url, timeout=TIMEOUT_S, verify=self._verify
            ) as client:
                response = await client.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            raise Refused(f"no answer from {self.base_url}: {type(error).__name__}") from None
        if response.is_error:
            raise Refused(cleaned(_problem(response) or self._foreign(response)))
        try:
            return cleaned(response.json())
        except ValueError:
            raise Refused(self._foreign(response)) from None

    def _foreign(self, response: httpx.Response) -> str:
        """What to do about an answer that is not whence's: a proxy's page, or another server at that address."""
        said = f"{response.status_code} {response.reason_phrase}".strip()
        return (
            f"{self.base_url} answered {said} in a form that is not whence's: check that whence runs and that its "
            f"address is right ({self.base_url}/healthz answers), and what stands in between, then try again"
        )


def _problem(response: httpx.Response) -> str | None:
    """An error in the API's own words, if they are the API's."""
    try:
        problem = response.json()
        told = f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return None
    return f"{told}; nearest: {', '.join(problem['nearest'])}" if problem.get("nearest") else told


def cleaned(value: Any) -> Any:
    """The same without control and direction characters: names and messages come from strangers."""
    if isinstance(value, str):
        return _CONTROL.sub(" ", value)
    if isinstance(value, list):
        return [cleaned(one) for one in value]
    if isinstance(value, dict):
        return {key: cleaned(one) for key, one in value.items()}
    return value
