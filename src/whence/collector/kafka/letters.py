"""Dead letters: records that nothing can be made of, kept as they came with the reason beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from confluent_kafka import Message

from whence.errors import InputError, LimitExceeded

Headers = list[tuple[str, bytes]]

MAX_VALUE_BYTES = 900_000
"""Larger values are left out, since with our headers the broker might refuse them; the original is in its topic."""
_MAX_ERROR_CHARS = 500


MALFORMED, TOO_LARGE, INTERNAL = "malformed", "too_large", "internal"
"""Why: the sender's fault, a limit of ours, or a fault of ours."""


class Letter(NamedTuple):
    """A record for the dead-letter topic."""

    reason: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def dead_letter(message: Message, error: Exception) -> Letter:
    """The record with why and whence it came as headers named ``whence.*``, after its own headers."""
    value = message.value() or b""
    reason = _reason_of(error)
    ours = {
        "reason": reason,
        "error": str(error)[:_MAX_ERROR_CHARS],
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp_ms": message.timestamp()[1],
        "value_bytes": len(value),
    }
    headers = [*_own(message), *((f"whence.{name}", str(what).encode()) for name, what in ours.items())]
    return Letter(reason, message.key(), value if len(value) <= MAX_VALUE_BYTES else None, headers)


def _reason_of(error: Exception) -> str:
    if isinstance(error, LimitExceeded):
        return TOO_LARGE
    return MALFORMED if isinstance(error, InputError) else INTERNAL


def _own(message: Message) -> Headers:
    # A message that was read has them as a list; a mapping is what a producer may give.
    headers = cast("Sequence[tuple[str, bytes | None]]", message.headers() or ())
    return [(name, value or b"") for name, value in headers]
