"""Odds ratios of all suspects on one axis: how much likelier a request went bad when it met the new version."""

from __future__ import annotations

from typing import NamedTuple

from whence.ui.charts.scale import LogScale, Record

CODE = "same_time_contrast"
WIDTH, HEIGHT = 240.0, 20.0
LOW, HIGH = 0.1, 100.0
TICKS = (0.1, 1.0, 10.0, 100.0)


class Row(NamedTuple):
    """One suspect: its interval and its point, as places, and the numbers themselves."""

    suspect: Record
    start: float
    end: float
    point: float
    ratio: float
    low: float
    high: float


class Forest(NamedTuple):
    """All rows; ``even`` is the place of a ratio of one, where new and old are alike."""

    rows: tuple[Row, ...]
    even: float
    ticks: tuple[tuple[float, str], ...]
    width: float
    height: float


def forest(answer: Record) -> Forest | None:
    """The plot of the suspects whose versions ran side by side; None when none did."""
    place = LogScale(LOW, HIGH, WIDTH)
    rows = []
    for suspect in answer["suspects"]:
        for one in suspect["evidence"]:
            data = one["data"]
            if one["code"] == CODE and "odds_ratio" in data:
                low, ratio, high = data["odds_ratio_low"], data["odds_ratio"], data["odds_ratio_high"]
                rows.append(Row(suspect, place(low), place(high), place(ratio), ratio, low, high))
    ticks = tuple((place(value), f"{value:g}") for value in TICKS)
    return Forest(tuple(rows), place(1.0), ticks, WIDTH, HEIGHT) if rows else None
