"""A figure: what some facts amount to in a window, beside the window before, or the admission that they are too few."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from whence.model.times import NS_PER_SECOND

TREND_PARTS = 6
"""Equal parts of a window that a trend tells one by one."""
ENOUGH = 5
"""Facts below which percentiles and shares say more about chance than about the team."""


class Pillar(StrEnum):
    """What a figure is about."""

    CODE = "code"
    MODEL = "model"
    DATA = "data"


class Form(StrEnum):
    """How facts become a figure."""

    COUNT = "count"
    """How many facts there are; none is an answer too."""
    SHARE = "share"
    """Mean of facts that are 0 or 1."""
    SPREAD = "spread"
    """Percentiles of the facts' values."""


class Metric(NamedTuple):
    """One kind of figure."""

    pillar: Pillar
    name: str
    form: Form
    unit: str
    meaning: str


METRICS = (
    Metric(Pillar.CODE, "releases", Form.COUNT, "releases", "versions of services that were rolled out"),
    Metric(Pillar.CODE, "features_shipped", Form.COUNT, "releases", "releases whose summary begins with 'feat'"),
    Metric(Pillar.CODE, "bug_fixes", Form.COUNT, "releases", "releases whose summary begins with 'fix'"),
    Metric(Pillar.CODE, "lead_time", Form.SPREAD, "s", "from a version's first environment to production"),
    Metric(
        Pillar.CODE, "change_failure", Form.SHARE, "share", "releases that an investigation suspects or people confirm"
    ),
    Metric(
        Pillar.CODE, "time_to_restore", Form.SPREAD, "s", "from a release that failed to the next of the same service"
    ),
    Metric(Pillar.MODEL, "versions_shipped", Form.COUNT, "versions", "versions of models that began to be used"),
    Metric(Pillar.MODEL, "latency", Form.SPREAD, "ms", "median latency of calls that use a model, by user and version"),
    Metric(Pillar.MODEL, "failures", Form.SHARE, "share", "calls that used a model and failed"),
    Metric(Pillar.MODEL, "staleness", Form.SPREAD, "s", "age of the versions in use at the end of the window"),
    Metric(Pillar.MODEL, "data_to_serving", Form.SPREAD, "s", "from a training snapshot to the first use of its model"),
    Metric(Pillar.DATA, "refreshes", Form.COUNT, "snapshots", "snapshots that came"),
    Metric(Pillar.DATA, "refresh_interval", Form.SPREAD, "s", "time between snapshots of one dataset"),
    Metric(
        Pillar.DATA, "late_refreshes", Form.COUNT, "snapshots", "snapshots that took twice their dataset's usual time"
    ),
    Metric(Pillar.DATA, "quality_incidents", Form.COUNT, "snapshots", "snapshots with a failed assertion"),
    Metric(Pillar.DATA, "access_latency", Form.SPREAD, "ms", "median latency of reads, by reader and dataset"),
    Metric(Pillar.DATA, "freshness", Form.SPREAD, "s", "age of the latest snapshot at the end of the window"),
)


class Fact(NamedTuple):
    """One thing that happened, or was so."""

    metric: str
    subject: str
    """Key of the entity, by whose owner it counts."""
    at_ns: int
    value: float
    """In the metric's unit; 1 for what is only counted."""
    detail: str
    """Key of a version, or id of a change, that the fact can be looked up by."""
    weight: float = 1.0
    """How many calls a share is of."""


class Figure(NamedTuple):
    """What the facts of one metric amount to. All numbers are None where there is not enough to say."""

    metric: Metric
    team: str | None
    """None: everybody."""
    facts: int
    value: float | None
    """The count, the share, or the median."""
    p90: float | None
    p95: float | None
    before: float | None
    """``value`` of the window before."""
    reason: str
    """Why there are no numbers; empty where there are."""
    trend: tuple[float | None, ...] = ()
    """``value`` of each part of the window, the earliest first."""


class Span(NamedTuple):
    """A window ``[from_ns, to_ns)``."""

    from_ns: int
    to_ns: int

    @property
    def before(self) -> Span:
        """The window of the same width before."""
        return Span(max(0, 2 * self.from_ns - self.to_ns), self.from_ns)

    def part_of(self, at_ns: int, count: int) -> int:
        """Which of so many equal parts, from 0, an instant inside lies in."""
        return (at_ns - self.from_ns) * count // (self.to_ns - self.from_ns)

    def holds(self, at_ns: int) -> bool:
        """Whether an instant lies inside."""
        return self.from_ns <= at_ns < self.to_ns


def figure(metric: Metric, facts: Iterable[Fact], span: Span, team: str | None = None) -> Figure:
    """What facts, all of one metric, amount to in a window."""
    known = list(facts)
    inside = [one for one in known if span.holds(one.at_ns)]
    value, p90, p95 = _amount(metric.form, inside)
    earlier = span.before
    before, _, _ = _amount(metric.form, [one for one in known if earlier.holds(one.at_ns)])
    missing = "" if value is not None else f"not enough data: {len(inside)} facts, {ENOUGH} are needed"
    return Figure(metric, team, len(inside), value, p90, p95, before, missing, _trend(metric.form, inside, span))


def seconds(earlier_ns: int, later_ns: int) -> float:
    """Time between two instants."""
    return (later_ns - earlier_ns) / NS_PER_SECOND


def percentile(values: Sequence[float], fraction: float) -> float:
    """The smallest value that at least ``fraction`` of all do not exceed; ``values`` are sorted and not empty."""
    return values[max(0, math.ceil(fraction * len(values)) - 1)]


def _trend(form: Form, inside: Iterable[Fact], span: Span) -> tuple[float | None, ...]:
    parts: list[list[Fact]] = [[] for _ in range(TREND_PARTS)]
    for one in inside:
        parts[span.part_of(one.at_ns, TREND_PARTS)].append(one)
    return tuple(_amount(form, part)[0] for part in parts)


def _amount(form: Form, facts: Sequence[Fact]) -> tuple[float | None, float | None, float | None]:
    if form is Form.COUNT:
        return float(len(facts)), None, None
    if form is Form.SHARE:
        weight = sum(one.weight for one in facts)
        share = sum(one.value * one.weight for one in facts) / weight if weight >= ENOUGH else None
        return share, None, None
    if len(facts) < ENOUGH:
        return None, None, None
    values = sorted(one.value for one in facts)
    return percentile(values, 0.5), percentile(values, 0.9), percentile(values, 0.95)
