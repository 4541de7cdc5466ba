"""Bearer tokens at the door. Without tokens in the settings everybody may do everything (loopback only)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from whence.api.context import Ctx
from whence.errors import Forbidden, Unauthenticated
from whence.tokens import Scope, granted

_bearer = HTTPBearer(auto_error=False, description="A token of WHENCE_TOKENS; not needed where none are set.")


def needs(scope: Scope) -> Dependency:
    """A dependency that lets a request pass only with a token of this scope."""

    async def check(context: Ctx, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        if not context.tokens:
            return
        scopes = granted(context.tokens, given.credentials) if given else None
        if scopes is None:
            raise Unauthenticated("send a token: Authorization: Bearer <token>")
        if scope not in scopes:
            raise Forbidden(f"the token does not have the scope {scope.value!r}")

    return Dependency(check)
