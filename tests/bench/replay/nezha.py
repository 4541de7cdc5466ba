"""Nezha: faults injected into Online Boutique and Train Ticket, with every span of the minutes around them.

Telemetry, place and time of the fault are published; the change that stands for it, its decoys and the lineage were
drawn when the set was put together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from tests.bench.replay.incidents import Candidate, Incident, LineageEdge, LogRow, SpanRow, Telemetry, Truth
from whence.model.times import NS_PER_SECOND

NS_PER_US = 1_000
_COLUMNS = ("trace_id", "span_id", "parent_id", "service", "instance", "operation", "start_us", "duration_us")


class NezhaSet:
    """One application's incidents (``ob`` or ``tt``). Reads the spans once, about 250 bytes each in memory."""

    def __init__(self, folder: Path, application: str) -> None:
        self._folder = folder
        self._application = application

    @cached_property
    def incidents(self) -> Sequence[Incident]:
        """Cases with their labels."""
        labels = {label["case_id"]: label for label in read_lines(self._folder / "nezha_labels.jsonl")}
        return [
            _incident(case, labels[case["case_id"]])
            for case in read_lines(self._folder / "nezha_cases.jsonl")
            if case["dataset"] == f"nezha-{self._application}"
        ]

    @cached_property
    def _table(self) -> Any:
        return pq.read_table(self._folder / f"nezha_{self._application}_spans.parquet")

    def telemetry(self, incident: Incident) -> Telemetry:
        """All spans, and one ERROR log for each that the set counts on a span."""
        rows = self._table.filter(pc.equal(self._table["case_id"], incident.case_id))
        spans = [_span(*values) for values in zip(*(rows[name].to_pylist() for name in _COLUMNS), strict=True)]
        return Telemetry(spans, list(_error_logs(spans, rows["error_logs"].to_pylist())))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a file with one JSON object per line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def candidates_of(case: dict[str, Any]) -> tuple[Candidate, ...]:
    """The changes of a case, in the order they are published."""
    return tuple(
        Candidate(
            change_id=change["change_id"],
            kind=change["kind"],
            node=change["node"],
            at_ns=int(change["at"] * NS_PER_SECOND),
            from_version=change.get("from_version"),
            to_version=change.get("to_version"),
        )
        for change in case["changes"]
    )


def _incident(case: dict[str, Any], label: dict[str, Any]) -> Incident:
    return Incident(
        case_id=case["case_id"],
        group=case["dataset"],
        entry=case["incident"]["entry_service"],
        detected_ns=int(case["incident"]["detected_at"] * NS_PER_SECOND),
        candidates=candidates_of(case),
        lineage=tuple(LineageEdge(*edge) for edge in case["lineage"]),
        truth=Truth(label["root_change_id"], label["root_service"], label["fault"]),
    )


def _span(
    trace_id: str,
    span_id: str,
    parent_id: str,
    service: str,
    instance: str,
    operation: str,
    start_us: int,
    duration_us: int,
) -> SpanRow:
    return SpanRow(
        bytes.fromhex(trace_id),
        bytes.fromhex(span_id),
        bytes.fromhex(parent_id),
        service,
        instance,
        operation,
        start_us * NS_PER_US,
        duration_us * NS_PER_US,
    )


def _error_logs(spans: Sequence[SpanRow], counts: Sequence[int]) -> Iterator[LogRow]:
    for span, count in zip(spans, counts, strict=True):
        for _ in range(count):
            at_ns = span.start_ns + span.duration_ns
            yield LogRow(at_ns, span.service, span.instance, "ERROR", "error", span.trace_id, span.span_id)
