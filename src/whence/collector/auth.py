"""Bearer tokens at the receivers."""

from __future__ import annotations

from collections.abc import Sequence

from whence.errors import Forbidden, Unauthenticated
from whence.tokens import Scope, Token, granted


def check_ingest(authorization: str | None, tokens: Sequence[Token]) -> None:
    """Let a request with this ``Authorization`` header pass, or not. Without tokens everyone may send.

    Raises:
        Unauthenticated: No bearer token, or one that nobody knows.
        Forbidden: A token that may not ingest.
    """
    if not tokens:
        return
    scheme, _, secret = (authorization or "").partition(" ")
    scopes = granted(tokens, secret.strip()) if scheme.lower() == "bearer" else None
    if scopes is None:
        raise Unauthenticated("send a token: Authorization: Bearer <token>")
    if Scope.INGEST not in scopes:
        raise Forbidden("the token does not have the scope 'ingest'")
