"""Requests by bucket: all of them, and those that met the new version beside those that met the old one."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import TypedDict

from whence.model.answer import Onset
from whence.model.kinds import Signal
from whence.model.times import NS_PER_SECOND, format_time
from whence.rca.candidates import Candidate
from whence.rca.case import Case
from whence.rca.columns import Floats, Ints, numbered, sum_by
from whence.rca.onset import Observed, observe
from whence.rca.requests import Requests, rows_into
from whence.rca.topology import Topology

DECIMALS = 3
MOST_CONTRASTS = 5


class PointJson(TypedDict):
    """Requests that began in one bucket, and how many of them were bad."""

    at: str
    requests: float
    bad: float


class ContrastJson(TypedDict):
    """Both sides of one change, each in order of time; a bucket without requests is absent."""

    change_id: str
    new: list[PointJson]
    old: list[PointJson]


ImpactJson = TypedDict(
    "ImpactJson",
    {"from": str, "to": str, "signal": str, "requests": float, "bad": float, "usually_bad": float},
)
"""Since the onset: requests, the bad ones, and how many would have been bad as before."""


class RequestSeries:
    """Requests into the symptom with the bad ones among them, by the signal in which it shows."""

    def __init__(self, case: Case, topology: Topology) -> None:
        self._requests = Requests(rows_into(case, topology), case.bucket_s)
        self.observed: Observed = observe(self._requests, case.incident)
        usual_until_s = self._requests.baseline_until_s(case.incident.detected_ns // NS_PER_SECOND)
        self._bad: Floats = self._requests.bad(self.observed.signal, usual_until_s)

    def everything(self) -> list[PointJson]:
        """All requests."""
        return self._points(self._requests.everything)

    def contrast(self, candidate: Candidate) -> ContrastJson | None:
        """New against old of one change; None unless requests met both."""
        new, old = (self._points(self._touching(nodes)) for nodes in (candidate.new_nodes, candidate.old_nodes))
        return {"change_id": candidate.change.id, "new": new, "old": old} if new and old else None

    def impact(self, onset: Onset, as_of_ns: int) -> ImpactJson:
        """The harm since the onset."""
        rows = self._requests.everything
        rows = rows[self._requests.start_s[rows] * NS_PER_SECOND >= onset.at_ns]
        total = float(self._requests.total[rows].sum())
        lost = self.observed.signal is Signal.VOLUME
        return {
            "from": format_time(onset.at_ns),
            "to": format_time(as_of_ns),
            "signal": self.observed.signal.value,
            "requests": round(total, DECIMALS),
            "bad": 0.0 if lost else round(float(self._bad[rows].sum()), DECIMALS),
            "usually_bad": round(self.observed.rate_before * total, DECIMALS),
        }

    def _touching(self, nodes: Iterable[str]) -> Ints:
        return self._requests.touching(nodes)

    def _points(self, rows: Ints) -> list[PointJson]:
        position, starts = numbered(self._requests.start_s[rows].tolist())
        total = sum_by(position, self._requests.total[rows], len(starts))
        bad = sum_by(position, self._bad[rows], len(starts))
        return [
            {
                "at": format_time(start * NS_PER_SECOND),
                "requests": round(float(total[at]), DECIMALS),
                "bad": round(float(bad[at]), DECIMALS),
            }
            for start, at in sorted(starts.items())
        ]
