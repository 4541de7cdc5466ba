"""From values to places."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, NamedTuple

Record = dict[str, Any]


def seconds(text: str) -> float:
    """Unix seconds of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()


class Scale(NamedTuple):
    """A line from ``low`` and ``high`` to 0 and ``size``; what lies outside is put at the edge."""

    low: float
    high: float
    size: float

    def __call__(self, value: float) -> float:
        """Place of a value, rounded to a tenth."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(min(max(share, 0.0), 1.0) * self.size, 1)


class LogScale(NamedTuple):
    """The same for ratios."""

    low: float
    high: float
    size: float

    def __call__(self, value: float) -> float:
        """Place of a ratio; zero lies at the lower edge."""
        line = Scale(math.log(self.low), math.log(self.high), self.size)
        return line(math.log(value)) if value > 0 else 0.0


class Band(NamedTuple):
    """A stretch of an axis."""

    x: float
    width: float


def band(low: float, high: float, scale: Scale, *, least: float = 2.0) -> Band:
    """The stretch between two values, wide enough to be seen."""
    start, end = scale(low), scale(high)
    return Band(start, round(max(end - start, least), 1))
