"""Bearer tokens: who may do what.

A token is written ``[name@][scope+scope:]secret[;until=2027-01-31]``; without scopes it may do everything. In place of
the secret its hash may stand, ``sha256:<64 hex digits>``, so that no file needs to hold the secret itself. While a
secret is rotated, the old and the new one stand side by side under one name. A name ``tenant/rest`` gives the token to
a tenant, whose data are its own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

HASHED = "sha256:"
UNTIL = ";until="
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([a-z][a-z0-9-]{0,47}/)?[A-Za-z0-9._-]{1,64}")
"""A tenant's name is also that of a folder and part of that of a database."""


class Scope(StrEnum):
    """What a token allows."""

    READ = "read"
    """Ask: investigations, graph, changes, entities, figures."""
    INGEST = "ingest"
    """Send what happened: spans, logs, lineage events, changes, alerts."""
    WRITE = "write"
    """Say what a person or a repository says: declarations, verdicts, the state of incidents."""
    ADMIN = "admin"
    """Set rules for others: policies."""


@dataclass(frozen=True, slots=True)
class Token:
    """One accepted secret, known by its hash, which stays out of ``repr``."""

    name: str
    digest: bytes = field(repr=False)
    """SHA-256 of the secret. Secrets are random and long, so a slow hash would add nothing."""
    scopes: frozenset[Scope]
    until: date | None = None
    """First day (UTC) on which it is no longer accepted."""

    @property
    def tenant(self) -> str:
        """Whose data it opens; empty: those of nobody in particular."""
        return tenant_of(self.name)


@dataclass(frozen=True, slots=True)
class Grant:
    """Who asks, and what they may do."""

    name: str
    scopes: frozenset[Scope]

    @property
    def tenant(self) -> str:
        """See ``Token``."""
        return tenant_of(self.name)


def tenant_of(name: str) -> str:
    """The tenant in a token's name."""
    tenant, slash, _ = name.partition("/")
    return tenant if slash else ""


def parse_token(text: str) -> Token:
    """Read one token as it stands in the settings or in a file.

    Raises:
        ValueError: A scope is unknown, the secret is empty, or the hash or the day is malformed. The message does not
            hold the secret.
    """
    rest, _, until = text.partition(UNTIL)
    name, at, named = rest.partition("@")
    head, colon, secret = (named if at else rest).partition(":")
    if f"{head}{colon}" == HASHED:
        head, colon, secret = "", "", f"{HASHED}{secret}"
    elif not colon:
        head, secret = "", head
    if not secret:
        raise ValueError("a token needs a secret, alone or after 'scope:'")
    if at and not _NAME.fullmatch(name):
        raise ValueError(
            "a token's name has letters, digits, '.', '_' and '-', at most 64; "
            "before it and a '/' may stand a tenant's, with small letters, digits and '-'"
        )
    digest = _digest(secret)
    return Token(name if at else digest.hex()[:8], digest, _scopes(head) if colon else frozenset(Scope), _day(until))


def written(name: str, scopes: Iterable[Scope], secret: str, until: date | None = None) -> str:
    """The line of a token with the hash in place of its secret."""
    ending = f"{UNTIL}{until.isoformat()}" if until else ""
    return f"{name}@{'+'.join(sorted(scopes))}:{HASHED}{hash_of(secret).hex()}{ending}"


def hash_of(secret: str) -> bytes:
    """SHA-256 of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def granted(tokens: Iterable[Token], presented: str, today: date) -> Grant | None:
    """What the presented secret allows, or None when it is unknown. Compares with every token in constant time.

    What a secret may do for one tenant it may not for another: the first token that it opens says for which it is.
    """
    found: Grant | None = None
    given = hash_of(presented)
    for token in tokens:
        is_fresh = token.until is None or today < token.until
        if not hmac.compare_digest(token.digest, given) or not is_fresh:
            continue
        if found is None or found.tenant == token.tenant:
            found = Grant(token.name, token.scopes | (found.scopes if found else frozenset()))
    return found


def _digest(secret: str) -> bytes:
    if not secret.startswith(HASHED):
        return hash_of(secret)
    digits = secret.removeprefix(HASHED)
    if not _DIGEST.fullmatch(digits):
        raise ValueError(f"after '{HASHED}' a token has 64 hexadecimal digits")
    return bytes.fromhex(digits)


def _scopes(text: str) -> frozenset[Scope]:
    try:
        return frozenset(Scope(name) for name in text.split("+"))
    except ValueError:
        raise ValueError(f"a token's scopes must be among {', '.join(Scope)}, joined by '+'") from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"a token ends with '{UNTIL}' and a day such as 2027-01-31") from None
