"""What was said beside what was true: a point for each band of answers, and the line on which honest ones lie."""

from __future__ import annotations

from typing import NamedTuple

from whence.ui.charts.scale import Record, Scale

SIZE = 240.0
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Point(NamedTuple):
    """One band: where it lies, and how far up and down its share may be (95 %)."""

    band: str
    x: float
    y: float
    top: float
    bottom: float
    title: str


class Reliability(NamedTuple):
    """All bands in a square of ``size``; ``ticks`` are places of shares and their texts, the same on both axes."""

    points: tuple[Point, ...]
    ticks: tuple[tuple[float, str], ...]
    size: float


def reliability(calibration: list[Record]) -> Reliability | None:
    """The picture; None where nobody judged anything."""
    if not calibration:
        return None
    place = Scale(0.0, 1.0, SIZE)
    points = tuple(
        Point(
            row["band"],
            place(row["said"]),
            place(1 - row["right"]),
            place(1 - row["right_high"]),
            place(1 - row["right_low"]),
            f"{row['band']}: said {row['said']:.0%}, right {row['right']:.0%} of {row['judged']}",
        )
        for row in calibration
    )
    return Reliability(points, tuple((place(value), f"{value:.0%}") for value in TICKS), SIZE)
