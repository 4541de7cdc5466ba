"""How references, times and probabilities are put to people, alike on the command line and on pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

_BARS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_STEPS = ((86_400 * 2, 86_400, "d"), (3_600 * 2, 3_600, "h"), (120, 60, "min"), (0, 1, "s"))


def short(key: str) -> str:
    """A reference as people say it: the name, and the version if there is one."""
    name = key.rpartition("#")[2]
    base, at_sign, version = name.partition("@")
    return f"{base} {version.partition(':')[2]}" if at_sign else base


def stamp(text: str) -> str:
    """An RFC 3339 time in UTC, to the second."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def distance(text: str, now: datetime) -> str:
    """How far an RFC 3339 time is from now: ``5 min ago``, ``in 2 h``."""
    seconds = (now - datetime.fromisoformat(text)).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(seconds)}"


def beside(text: str, other: str) -> str:
    """Where one RFC 3339 time lies beside another: ``2 min before``, ``5 s after``, ``at the same time``."""
    seconds = (datetime.fromisoformat(text) - datetime.fromisoformat(other)).total_seconds()
    if abs(seconds) < 1:
        return "at the same time"
    return f"{span(seconds)} {'after' if seconds > 0 else 'before'}"


def clock(text: str) -> str:
    """Time of day of an RFC 3339 time, in UTC, to the second."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%H:%M:%SZ}"


def number(value: float) -> str:
    """A count with thousands set apart; small ones with two digits that count."""
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.2g}"


def span(seconds: float) -> str:
    """A duration in the largest unit that it fills at least twice."""
    size = abs(seconds)
    _, unit, name = next(step for step in _STEPS if size >= step[0])
    return f"{size / unit:.0f} {name}"


def percent(probability: float) -> str:
    """A probability from 0 to 1 as whole per cent."""
    return f"{probability * 100:.0f} %"


def amount(value: float | None, unit: str) -> str:
    """A figure with its unit; nothing where it is unknown."""
    if value is None:
        return ""
    if unit == "s":
        return span(value)
    return percent(value) if unit == "share" else f"{value:g} {unit}"


def bars(values: Sequence[float | None]) -> str:
    """One bar for each value, by its share of the largest; a dot where nothing is known."""
    top = max((one for one in values if one is not None), default=0.0)
    return "".join("\u00b7" if one is None else _BARS[_height(one, top)] for one in values)


def _height(value: float, top: float) -> int:
    return round(value / top * (len(_BARS) - 1)) if top > 0 else 0
