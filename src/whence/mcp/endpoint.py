"""The tools at ``/mcp`` of a running server, by streamable HTTP, without sessions: state goes through explicit ids."""

from __future__ import annotations

import asyncio

import httpx
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from whence.mcp.asking import AUTHORIZATION, Asker
from whence.mcp.tools import create_server

PATH = "/mcp"


class Endpoint:
    """An ASGI app over an API in the same process. It answers while ``run`` runs.

    Args:
        api: What the tools ask, each call with the token of its own request.
        base_url: Address of the pages, for links.
        allowed_hosts: Values of ``Host`` that are answered, against pages that rebind a name to this machine; empty
            where tokens keep strangers out.
    """

    def __init__(self, api: ASGIApp, base_url: str, allowed_hosts: tuple[str, ...]) -> None:
        self._server = create_server(Asker(base_url, transport=httpx.ASGITransport(app=api)))
        security = TransportSecuritySettings(
            enable_dns_rebinding_protection=bool(allowed_hosts),
            allowed_hosts=list(allowed_hosts),
            allowed_origins=[f"http://{host}" for host in allowed_hosts],
        )
        self._app = self._server.streamable_http_app(
            streamable_http_path=PATH, json_response=True, stateless_http=True, transport_security=security
        )

    async def run(self, ready: asyncio.Event) -> None:
        """Take requests until cancelled; sets ``ready`` once it does. Once only."""
        async with self._server.session_manager.run():
            ready.set()
            await asyncio.Event().wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request in the name of who sent it."""
        reset = AUTHORIZATION.set(Headers(scope=scope).get("authorization"))
        try:
            await self._app(scope, receive, send)
        finally:
            AUTHORIZATION.reset(reset)
