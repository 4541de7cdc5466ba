"""Every error that whence raises on purpose, in one tree.

WhenceError
├─ InputError            the caller's fault
│  ├─ DecodeError        bytes that are not what they claim to be
│  ├─ LimitExceeded      well-formed, but larger than we accept
│  ├─ InvalidReference   a reference that does not follow the grammar
│  └─ InvalidQuery       a field that is unknown, missing or contradictory
│     └─ AmbiguousName   a bare name that several entities bear; carries them
├─ AccessDenied          the caller may not
│  ├─ Unauthenticated    no token, or one that we don't know
│  ├─ BadSignature       a webhook that is not signed, or not by who holds the secret; carries the reason
│  └─ Forbidden          the token does not cover this
├─ NotFound              the thing is not there
│  └─ EntityNotFound     no entity of that name; carries the nearest names
├─ StoreError            ours or the database's fault
│  ├─ StoreUnavailable   try again later (retryable)
│  ├─ StoreConflict      another writer was faster (retryable)
│  └─ QueryTimeout       the read took too long
├─ Overloaded            a buffer is full; nothing of the request was kept (retryable)
└─ ConfigError           the operator's fault, raised only at start

Errors know no HTTP: ``whence.api.errors`` holds the one table from class to status.
"""

from __future__ import annotations

from typing import ClassVar


class WhenceError(Exception):
    """Base of the tree. ``retryable`` says whether the same call may succeed later."""

    retryable: ClassVar[bool] = False


class InputError(WhenceError):
    """The caller sent something that can never succeed as it is."""


class DecodeError(InputError):
    """Bytes that are not the format they claim to be."""


class LimitExceeded(InputError):
    """Well-formed input beyond a size limit; the message names the limit."""


class InvalidReference(InputError):
    """A reference that does not parse; ``position`` is the offending character's index."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        super().__init__(f"{reason} at position {position} of {text[:200]!r}")
        self.text = text
        self.position = position
        self.reason = reason


class InvalidQuery(InputError):
    """A field with a bad value; ``field`` is its name as the caller wrote it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class AmbiguousName(InvalidQuery):
    """A bare name that several entities bear; ``candidates`` holds their keys."""

    def __init__(self, field: str, name: str, candidates: tuple[str, ...]) -> None:
        super().__init__(field, f"{name!r} is the name of several: {', '.join(candidates)}")
        self.name = name
        self.candidates = candidates


class AccessDenied(WhenceError):
    """The caller may not do this."""


class Unauthenticated(AccessDenied):
    """No token came along, or one that is not known."""


class BadSignature(AccessDenied):
    """A delivery of a webhook that nobody vouches for; ``reason`` is one constant word."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Forbidden(AccessDenied):
    """The token is known but its scopes do not cover this."""


class NotFound(WhenceError):
    """The thing asked for is not there."""


class EntityNotFound(NotFound):
    """No entity goes by that name; ``nearest`` holds up to five names that look like it."""

    def __init__(self, name: str, nearest: tuple[str, ...] = ()) -> None:
        hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
        super().__init__(f"no entity is known as {name!r}{hint}")
        self.name = name
        self.nearest = nearest


class StoreError(WhenceError):
    """The database, or our use of it, failed."""


class StoreUnavailable(StoreError):
    """The database can't be reached or is shutting down."""

    retryable = True


class StoreConflict(StoreError):
    """Another writer was faster; the same write may pass on a second try."""

    retryable = True


class QueryTimeout(StoreError):
    """A read was stopped because it took longer than its limit."""


class Overloaded(WhenceError):
    """A buffer is full; nothing of this request was kept, so it can be sent again."""

    retryable = True

    def __init__(self, what: str, retry_after_seconds: int = 2) -> None:
        super().__init__(f"{what}; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class ConfigError(WhenceError):
    """Settings that can't work; raised only while starting, and says what to do."""
