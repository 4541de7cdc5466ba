"""``/mcp``: the tools for agents. Loaded with the first request, since importing the SDK takes seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from whence.api.context import Context
from whence.api.errors import problem
from whence.errors import NotFound, Unauthenticated, WhenceError

if TYPE_CHECKING:
    from whence.mcp.endpoint import Endpoint

PATH = "/mcp"
LOOPBACK = ("127.0.0.1:*", "localhost:*", "[::1]:*")


def agents_route(api: ASGIApp, context: Context) -> Route:
    """The address at which agents call tools."""
    return Route(PATH, _Agents(api, context))


class _Agents:
    """The door: who may come in, and what happens when nobody installed what is behind it."""

    def __init__(self, api: ASGIApp, context: Context) -> None:
        self._api = api
        self._context = context
        self._loading = asyncio.Lock()
        self._endpoint: Endpoint | None = None
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            self._check_token(Headers(scope=scope))
            endpoint = await self._loaded()
        except WhenceError as error:
            await problem(error, instance=PATH)(scope, receive, send)
            return
        await endpoint(scope, receive, send)

    def _check_token(self, headers: Headers) -> None:
        """Any token that is known may come in; each tool needs the scope that its route needs."""
        tokens = self._context.tokens
        _, credentials = get_authorization_scheme_param(headers.get("authorization"))
        if tokens and tokens.granted(credentials) is None:
            raise Unauthenticated("send a token: Authorization: Bearer <token>")

    async def _loaded(self) -> Endpoint:
        async with self._loading:
            if self._endpoint is None:
                self._endpoint = await asyncio.to_thread(self._load)
                ready = asyncio.Event()
                self._running = asyncio.create_task(self._endpoint.run(ready), name="whence-mcp")
                await ready.wait()
            return self._endpoint

    def _load(self) -> Endpoint:
        try:
            from whence.mcp.endpoint import Endpoint
        except ModuleNotFoundError as missing:
            raise NotFound(f'{missing.name} is not installed; /mcp needs: pip install "whence[mcp]"') from None
        # A browser page may point its own name at this machine; where tokens are needed that gains it nothing.
        hosts = () if self._context.tokens else LOOPBACK
        return Endpoint(self._api, self._context.settings.parsed_public_url, hosts)
