"""Text to UTC nanoseconds and back. The present is an argument: this room has no clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_SECONDS_CHARS = len("2026-11-23T12:05:00")
NS_PER_SECOND = 1_000_000_000
_RELATIVE = re.compile(r"-?(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\Z")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_NS = 9_214_646_400 * NS_PER_SECOND
"""Start of the year 2262, the last that does not begin beyond 64 bits of nanoseconds."""


def parse_duration_ns(text: str) -> int:
    """``30s``, ``15m``, ``2h``, ``1.5d`` (a leading minus is ignored) as nanoseconds.

    Raises:
        ValueError: It is not a number with one of the units ms, s, m, h, d, w.
    """
    match = _RELATIVE.match(text.strip())
    if match is None:
        raise ValueError(f"expected a duration such as 30s, 15m, 2h or 1d, got {text[:60]!r}")
    return round(float(match[1]) * _UNIT_SECONDS[match[2]] * NS_PER_SECOND)


def parse_time_ns(text: str, *, now_ns: int) -> int:
    """RFC 3339, or relative to now (``-2h``, ``now``), as nanoseconds. A time without an offset is UTC.

    Raises:
        ValueError: Neither form, or outside the years 1970 to 2261.
    """
    text = text.strip()
    if text == "now":
        return now_ns
    if text.startswith("-"):
        return _within_range(now_ns - parse_duration_ns(text), text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected RFC 3339 (2026-11-23T12:05:00Z) or relative (-2h), got {text[:60]!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - _EPOCH
    ns = (delta.days * 86400 + delta.seconds) * NS_PER_SECOND + delta.microseconds * 1000
    return _within_range(ns, text)


@lru_cache(maxsize=16_384)
def format_time(ns: int) -> str:
    """RFC 3339 in UTC with ``Z``; microseconds only where there are any. Answers repeat few times very often."""
    seconds, rest = divmod(ns, NS_PER_SECOND)
    text = datetime.fromtimestamp(seconds, UTC).isoformat()[:_SECONDS_CHARS]
    micros = rest // 1000
    return f"{text}.{micros:06d}".rstrip("0") + "Z" if micros else f"{text}Z"


def _within_range(ns: int, text: str) -> int:
    if not 0 <= ns < _END_NS:
        raise ValueError(f"{text[:60]!r} is outside the years 1970 to 2261")
    return ns
