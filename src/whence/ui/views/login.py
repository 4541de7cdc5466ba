"""Who has no token is asked for one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from whence.ui.api_client import TOKEN_COOKIE, ApiClient
from whence.ui.shown import SEE_OTHER, Shown, form_of


async def login_form(api: ApiClient, request: Request) -> Shown:
    """Ask for a token."""
    return Shown("login.html", {})


async def login(api: ApiClient, request: Request) -> Response:
    """Keep the token in a cookie that no script can read and no other site can send."""
    token = (await form_of(request)).get("token", "")
    response = RedirectResponse("/", SEE_OTHER)
    is_https = request.url.scheme == "https"
    response.set_cookie(TOKEN_COOKIE, token, httponly=True, samesite="strict", secure=is_https)
    return response
