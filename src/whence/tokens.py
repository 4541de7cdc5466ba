"""Bearer tokens: who may do what.

A token is written ``secret`` (may do everything) or ``scope+scope:secret``, for instance ``ingest:4f1c...``.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Scope(StrEnum):
    """What a token allows."""

    READ = "read"
    """Ask: investigations, graph, changes, entities."""
    INGEST = "ingest"
    """Send: spans, lineage events, changes."""
    FEEDBACK = "feedback"
    """Judge the suspects of an answer."""


@dataclass(frozen=True, slots=True)
class Token:
    """One accepted secret and its scopes. The secret stays out of ``repr``."""

    secret: bytes = field(repr=False)
    scopes: frozenset[Scope]


def parse_token(text: str) -> Token:
    """Read one token as it stands in the settings.

    Raises:
        ValueError: A scope is unknown or the secret is empty. The message does not hold the secret.
    """
    head, colon, tail = text.partition(":")
    secret = tail if colon else head
    if not secret:
        raise ValueError("a token needs a secret, alone or after 'scope:'")
    try:
        scopes = frozenset(Scope(name) for name in head.split("+")) if colon else frozenset(Scope)
    except ValueError:
        raise ValueError(f"a token's scopes must be among {', '.join(Scope)}, joined by '+'") from None
    return Token(secret.encode(), scopes)


def granted(tokens: Iterable[Token], presented: str) -> frozenset[Scope] | None:
    """Scopes of the presented secret, or None when it is unknown. Compares with every token in constant time."""
    found: frozenset[Scope] | None = None
    given = presented.encode()
    for token in tokens:
        if hmac.compare_digest(token.secret, given):
            found = token.scopes | (found or frozenset())
    return found
