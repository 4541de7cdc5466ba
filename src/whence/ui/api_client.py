"""The API as the pages see it: JSON over HTTP, called within the process, with the visitor's own token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp

TOKEN_COOKIE = "whence_token"  # noqa: S105  the name, not the secret


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


def authorization_of(visit: HTTPConnection) -> str | None:
    """The ``Authorization`` header that a visitor sent, or the one that the cookie stands for."""
    token = visit.cookies.get(TOKEN_COOKIE)
    return visit.headers.get("authorization", f"Bearer {token}" if token else None)


class ApiClient:
    """Asks the API on behalf of the visitor who sent ``request``."""

    def __init__(self, api: ASGIApp, request: Request) -> None:
        self._api = api
        passed_on = {"authorization": authorization_of(request), "if-none-match": request.headers.get("if-none-match")}
        self._headers = {name: value for name, value in passed_on.items() if value is not None}

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
