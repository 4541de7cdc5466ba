"""PetShop: delays and failures put into a shop in a cloud, of which only five-minute figures of each node are known.

whence takes requests, so requests are made from the figures: as many as each node served, along the published graph,
with durations drawn from the node's percentiles and failures from its availability. Within one request everything is
drawn by the same luck, because a slow part makes the whole slow. The hour before comes from the fault-free period.
The published times are taken as the ends of windows: only so the symptom shows before it is noticed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.bench.replay.incidents import Incident, SpanRow, Telemetry, Truth
from tests.bench.replay.nezha import candidates_of, read_lines
from whence.model.times import NS_PER_SECOND

WINDOW_S = 300
WINDOWS_BEFORE = 12
NORMAL = "normal"
_DEEPEST = 8
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_GAP_NS = 100_000


class Figures(NamedTuple):
    """What is known of one node in one window."""

    requests: float
    failing: float
    """Share."""
    quantiles: tuple[tuple[float, float], ...]
    """Share and seconds, ascending."""

    def seconds(self, luck: float) -> float:
        """Duration of a request that had some luck, between 0 and 1."""
        if not self.quantiles:
            return 0.001
        shares, values = zip(*self.quantiles, strict=True)
        return float(np.interp(luck, (0.0, *shares), (values[0] / 2, *values)))


Window = Mapping[str, Figures]


class PetshopSet:
    """The incidents; the figures are held in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def incidents(self) -> Sequence[Incident]:
        """Cases with their labels."""
        labels = {label["case_id"]: _plain(label) for label in read_lines(self._folder / "petshop_labels.jsonl")}
        return [_incident(case, labels[case["case_id"]]) for case in self._cases.values()]

    def telemetry(self, incident: Incident) -> Telemetry:
        """Requests of an hour without a fault and of the windows around it."""
        luck = random.Random(incident.case_id)
        case = self._windows[incident.case_id]
        first = min(case)
        normal = sorted(self._windows[NORMAL])
        start = luck.randrange(len(normal) - WINDOWS_BEFORE)
        before = [self._windows[NORMAL][at] for at in normal[start : start + WINDOWS_BEFORE]]
        times = [first - WINDOW_S * (WINDOWS_BEFORE - number) for number in range(WINDOWS_BEFORE)]
        shop = _Shop([tuple(edge) for edge in self._cases[incident.case_id]["edges"]], luck)
        spans = [
            span
            for at, window in [*zip(times, before, strict=True), *sorted(case.items())]
            for span in shop.spans(at, window)
        ]
        return Telemetry(spans, [])

    @cached_property
    def _cases(self) -> dict[str, dict[str, Any]]:
        return {case["case_id"]: _plain(case) for case in read_lines(self._folder / "petshop_cases.jsonl")}

    @cached_property
    def _windows(self) -> Mapping[str, Mapping[int, Window]]:
        """Windows of each case by the second at which they begin."""
        table = pq.read_table(self._folder / "petshop_metrics.parquet")
        found: dict[tuple[str, int, str], dict[str, float]] = defaultdict(dict)
        columns = (table[name].to_pylist() for name in ("case_id", "ts", "node", "metric", "agg", "value"))
        for case, at, node, metric, agg, value in zip(*columns, strict=True):
            if value == value:  # not missing
                found[case, at - WINDOW_S, _plain(node)][agg if metric == "latency" else metric] = value
        windows: dict[str, dict[int, dict[str, Figures]]] = defaultdict(lambda: defaultdict(dict))
        for (case, at, node), values in found.items():
            windows[case][at][node] = _figures(values)
        return windows


def _plain(value: Any) -> Any:
    """All names without colons, by which the sets tell models and datasets from services."""
    match value:
        case str():
            return value.replace(":", ".")
        case list():
            return [_plain(one) for one in value]
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case _:
            return value


def _figures(values: Mapping[str, float]) -> Figures:
    known = [(share, values[name]) for name, share in _QUANTILES.items() if name in values]
    ascending = np.maximum.accumulate([value for _, value in known]).tolist() if known else []
    return Figures(
        values.get("requests", 0.0),
        1 - values.get("availability", 100.0) / 100,
        tuple(zip((share for share, _ in known), ascending, strict=True)),
    )


class _Shop:
    """Makes requests along a graph."""

    def __init__(self, edges: Sequence[tuple[str, str]], luck: random.Random) -> None:
        self._luck = luck
        self._callees: dict[str, list[str]] = defaultdict(list)
        self._callers: dict[str, list[str]] = defaultdict(list)
        for caller, callee in edges:
            self._callees[caller].append(callee)
            self._callers[callee].append(caller)

    def spans(self, at: int, window: Window) -> Iterator[SpanRow]:
        """All requests of one window, spread evenly over it."""
        for node, figures in window.items():
            if not self._callers[node]:
                for number in range(round(figures.requests)):
                    start = (at + WINDOW_S * (number + self._luck.random()) / figures.requests) * NS_PER_SECOND
                    yield from _Request(self, window, self._luck).spans(node, int(start))

    def calls(self, caller: str, window: Window) -> Iterator[str]:
        """What one request to a node calls: of each callee the share that this caller has in it."""
        for callee in self._callees[caller]:
            asked = sum(window[one].requests for one in self._callers[callee] if one in window)
            wanted = window[callee].requests / asked if callee in window and asked else 0.0
            yield from [callee] * (int(wanted) + (self._luck.random() < wanted % 1))


class _Request:
    """One request and all that it leads to."""

    def __init__(self, shop: _Shop, window: Window, luck: random.Random) -> None:
        self._shop, self._window, self._luck = shop, window, luck
        self._trace = luck.randbytes(16)
        self._slow, self._bad = luck.random(), luck.random()

    def spans(self, node: str, start_ns: int, parent: bytes = b"", depth: int = 0) -> Iterator[SpanRow]:
        """The node's span and all below it; the node's own comes last."""
        figures = self._window[node]
        own, at_ns = self._luck.randbytes(8), start_ns + _GAP_NS
        for callee in self._shop.calls(node, self._window) if depth < _DEEPEST else ():
            call = self._luck.randbytes(8)
            below = list(self.spans(callee, at_ns + _GAP_NS, call, depth + 1))
            yield from below
            last = below[-1]
            end_ns = last.start_ns + last.duration_ns + _GAP_NS
            yield SpanRow(self._trace, call, own, node, node, f"call {callee}", at_ns, end_ns - at_ns, last.status)
            at_ns = end_ns
        drawn = min(max(self._slow + self._luck.gauss(0, 0.05), 0.0), 1.0)
        took = max(int(figures.seconds(drawn) * NS_PER_SECOND), at_ns + _GAP_NS - start_ns)
        status = Status.STATUS_CODE_ERROR if self._bad < figures.failing else Status.STATUS_CODE_UNSET
        yield SpanRow(self._trace, own, parent, node, node, "serve", start_ns, took, status)


def _incident(case: dict[str, Any], label: dict[str, Any]) -> Incident:
    return Incident(
        case_id=case["case_id"],
        group=case["dataset"],
        entry=case["incident"]["service"],
        detected_ns=int(case["incident"]["detected_at"] * NS_PER_SECOND),
        candidates=candidates_of(case),
        lineage=(),
        truth=Truth(label["root_change_id"], label["root_service"], case["incident"]["metric"]),
    )
