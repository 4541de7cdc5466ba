"""Bearer tokens at the receivers."""

from __future__ import annotations

from whence.accepted import Tokens
from whence.errors import Forbidden, Unauthenticated
from whence.tokens import Scope


def check_ingest(authorization: str | None, tokens: Tokens) -> None:
    """Let a request with this ``Authorization`` header pass, or not. Without tokens everyone may send.

    Raises:
        Unauthenticated: No bearer token, or one that nobody knows.
        Forbidden: A token that may not ingest.
    """
    if not tokens:
        return
    scheme, _, secret = (authorization or "").partition(" ")
    grant = tokens.granted(secret.strip()) if scheme.lower() == "bearer" else None
    if grant is None:
        raise Unauthenticated("send a token: Authorization: Bearer <token>")
    if Scope.INGEST not in grant.scopes:
        raise Forbidden("the token does not have the scope 'ingest'")
