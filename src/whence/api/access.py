"""Bearer tokens at the door. Without tokens in the settings everybody may do everything (loopback only)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from whence.api.context import Context, Ctx
from whence.errors import Forbidden, Unauthenticated
from whence.tokens import Scope

_bearer = HTTPBearer(auto_error=False, description="A token of WHENCE_TOKENS; not needed where none are set.")


Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def needs(scope: Scope) -> Dependency:
    """A dependency that lets a request pass only with a token of this scope."""

    async def check(request: Request, context: Ctx, given: Bearer) -> None:
        request.state.caller = check_token(context, given, scope)

    return Dependency(check)


def check_token(context: Context, given: HTTPAuthorizationCredentials | None, scope: Scope) -> str:
    """Let a request with these credentials pass, or not; the name of its token, empty where none is needed.

    Raises:
        Unauthenticated: No token came along, or one that is not known.
        Forbidden: The token does not cover the scope.
    """
    if not context.tokens:
        return ""
    grant = context.tokens.granted(given.credentials) if given else None
    if grant is None:
        raise Unauthenticated("send a token: Authorization: Bearer <token>")
    if scope not in grant.scopes:
        raise Forbidden(f"the token does not have the scope {scope.value!r}")
    return grant.name
