"""The API as the pages see it: JSON over HTTP, called within the process, with the visitor's own token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
from starlette.requests import Request
from starlette.types import ASGIApp

TOKEN_COOKIE = "whence_token"  # noqa: S105  the name, not the secret
_PASSED_ON = ("authorization", "if-none-match")


class ApiProblem(Exception):
    """The API answered with an error; ``problem`` holds its problem details."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("detail"))
        self.status = status
        self.problem = problem


class Reply(NamedTuple):
    """A success: the exact bytes and their headers, for a JSON twin, and a way to decode them, for a page."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def data(self) -> Any:
        """The decoded body."""
        return json.loads(self.content)


class ApiClient:
    """Asks the API on behalf of the visitor who sent ``request``."""

    def __init__(self, api: ASGIApp, request: Request) -> None:
        self._api = api
        self._headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        token = request.cookies.get(TOKEN_COOKIE)
        if token and "authorization" not in self._headers:
            self._headers["authorization"] = f"Bearer {token}"

    async def get(self, path: str, **params: object) -> Reply:
        """GET; raises ``ApiProblem``."""
        return await self._send("GET", path, params=params)

    async def post(self, path: str, body: Mapping[str, object]) -> Reply:
        """POST of a JSON body; raises ``ApiProblem``."""
        return await self._send("POST", path, json=body)

    async def _send(self, method: str, path: str, **options: Any) -> Reply:
        transport = httpx.ASGITransport(app=self._api)
        async with httpx.AsyncClient(transport=transport, base_url="http://whence") as client:
            response = await client.request(method, path, headers=self._headers, **options)
        if response.is_error:
            raise ApiProblem(response.status_code, response.json())
        return Reply(response.status_code, response.headers, response.content)
