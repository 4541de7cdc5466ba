"""Bearer tokens at the receivers. Compared in constant time; an empty list lets everyone in."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from enum import Enum


class Access(Enum):
    """Result of a check."""

    GRANTED = "granted"
    MISSING = "missing"
    WRONG = "wrong"


def check_bearer(header: str | None, tokens: Sequence[str]) -> Access:
    """Whether an ``Authorization`` header carries one of the tokens."""
    if not tokens:
        return Access.GRANTED
    scheme, _, given = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        return Access.MISSING
    presented = given.strip().encode()
    # Every token is compared, so the time taken says nothing about which one came close.
    matches = [hmac.compare_digest(presented, token.encode()) for token in tokens]
    return Access.GRANTED if any(matches) else Access.WRONG
