"""Share of bad requests over time: of all of them, and of those that met the new version beside the old one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from whence.ui.charts.scale import Band, Record, Scale, band, seconds

WIDTH, HEIGHT = 600.0, 72.0
PANEL_WIDTH, PANEL_HEIGHT = 280.0, 56.0
MOST_BINS = 60
PANEL_BINS = 28
LEAST_TOP = 0.02
"""An axis that ends lower would make a mountain of one bad request."""


class Bar(NamedTuple):
    """One bin: a box, and what it stands for. A bin without a bad request is a thin line on the ground."""

    x: float
    y: float
    width: float
    height: float
    title: str


class Bars(NamedTuple):
    """One chart."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    onset: Band
    top: float
    """Share at the upper edge."""
    requests: float
    bad: float

    @property
    def share(self) -> float:
        """Bad of all."""
        return self.bad / self.requests if self.requests else 0.0


class Multiple(NamedTuple):
    """Both sides of one change on the same axes."""

    new: Bars
    old: Bars


class _Bin(NamedTuple):
    start: float
    end: float
    requests: float
    bad: float


def symptom_bars(answer: Record, exhibits: Record) -> Bars | None:
    """All requests into the symptom; None where none were counted."""
    points = exhibits["requests"]
    if not points:
        return None
    bins = _bins(points, *_extent(points, exhibits["bucket_seconds"]), MOST_BINS)
    return _bars(bins, answer["onset"], WIDTH, HEIGHT, _top(bins))


def multiples(answer: Record, exhibits: Record) -> dict[str, Multiple]:
    """Small multiples by change id."""
    found = {}
    for contrast in exhibits["contrasts"]:
        extent = _extent([*contrast["new"], *contrast["old"]], exhibits["bucket_seconds"])
        new, old = (_bins(contrast[side], *extent, PANEL_BINS) for side in ("new", "old"))
        top = _top([*new, *old])
        both = (_bars(bins, answer["onset"], PANEL_WIDTH, PANEL_HEIGHT, top, extent) for bins in (new, old))
        found[contrast["change_id"]] = Multiple(*both)
    return found


def _extent(points: Iterable[Record], bucket_s: float) -> tuple[float, float]:
    starts = [seconds(point["at"]) for point in points]
    return min(starts), max(starts) + bucket_s


def _bins(points: Iterable[Record], low: float, high: float, most: int) -> list[_Bin]:
    width = (high - low) / most
    sums: dict[int, list[float]] = {}
    for point in points:
        sums_of_bin = sums.setdefault(min(int((seconds(point["at"]) - low) / width), most - 1), [0.0, 0.0])
        sums_of_bin[0] += point["requests"]
        sums_of_bin[1] += point["bad"]
    return [_Bin(low + at * width, low + (at + 1) * width, *both) for at, both in sorted(sums.items())]


def _top(bins: Sequence[_Bin]) -> float:
    return max([LEAST_TOP, *(one.bad / one.requests for one in bins if one.requests)])


def _bars(
    bins: Sequence[_Bin],
    onset: Record,
    width: float,
    height: float,
    top: float,
    extent: tuple[float, float] | None = None,
) -> Bars:
    low, high = extent or (bins[0].start, bins[-1].end)
    across, up = Scale(low, high, width), Scale(0.0, top, height)
    bars = []
    for one in bins:
        share = one.bad / one.requests if one.requests else 0.0
        tall = max(up(share), 1.0)
        title = f"{one.bad:.0f} bad of {one.requests:.0f}"
        x = across(one.start)
        bars.append(Bar(x, height - tall, max(across(one.end) - x - 1, 1.0), tall, title))
    began = band(seconds(onset["low"]), seconds(onset["high"]), across)
    requests, bad = (sum(values) for values in zip(*((one.requests, one.bad) for one in bins), strict=True))
    return Bars(width, height, tuple(bars), began, top, requests, bad)
