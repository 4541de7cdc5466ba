"""The gate of the receivers: who may send, and how much."""

from __future__ import annotations

from whence.accepted import Tokens
from whence.collector.rates import Rates
from whence.errors import Forbidden, Unauthenticated
from whence.tokens import Grant, Scope

EVERYBODY = Grant("", frozenset(Scope))


class Gate:
    """Bearer tokens, and what each may send in a time. Without either, everyone may send anything."""

    def __init__(self, tokens: Tokens | None = None, rates: Rates | None = None) -> None:
        self._tokens = tokens or Tokens()
        self._rates = rates or Rates()

    def admit(self, authorization: str | None) -> Grant:
        """Let a request with this ``Authorization`` header pass, or not; its token, nameless if none is needed.

        Raises:
            Unauthenticated: No bearer token, or one that nobody knows.
            Forbidden: A token that may not ingest.
        """
        if not self._tokens:
            return EVERYBODY
        grant = self._tokens.granted_by(authorization)
        if grant is None:
            raise Unauthenticated("send a token: Authorization: Bearer <token>")
        if Scope.INGEST not in grant.scopes:
            raise Forbidden("the token does not have the scope 'ingest'")
        return grant

    def charge(self, token: str, size: int) -> None:
        """Let so many bytes of a token in, or not.

        Raises:
            Overloaded: It has sent too much; the error says when it may try again.
        """
        self._rates.take(token, size)
