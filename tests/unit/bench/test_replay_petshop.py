"""Requests that are made from five-minute figures have those figures."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.bench.replay.petshop import WINDOW_S, WINDOWS_BEFORE, PetshopSet
from whence.model.times import NS_PER_SECOND

FIRST = 1_700_000_000
SHOP, TABLE = "shop", "pets_DB::Table"


@pytest.fixture
def incidents(tmp_path: Path) -> PetshopSet:
    """A shop that reads a table twice for each request; in the incident every second read fails."""
    case = {
        "case_id": "c1",
        "dataset": "petshop",
        "incident": {"detected_at": FIRST + 200, "service": SHOP, "metric": "availability"},
        "edges": [[SHOP, TABLE]],
        "changes": [],
    }
    label = {"case_id": "c1", "root_service": TABLE, "root_change_id": None}
    (tmp_path / "petshop_cases.jsonl").write_text(json.dumps(case))
    (tmp_path / "petshop_labels.jsonl").write_text(json.dumps(label))
    normal = [("normal", 1000 + WINDOW_S * number, 100.0) for number in range(WINDOWS_BEFORE + 1)]
    rows = []
    for case_id, at, available in [*normal, ("c1", FIRST, 50.0)]:
        for node, requests, seconds in ((SHOP, 40.0, 0.2), (TABLE, 80.0, 0.01)):
            rows.append((case_id, at, node, "requests", "Sum", requests))
            rows.append((case_id, at, node, "availability", "Average", available if node == TABLE else 100.0))
            rows += [(case_id, at, node, "latency", name, seconds) for name in ("p50", "p90", "p95", "p99")]
    names = ("case_id", "ts", "node", "metric", "agg", "value")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "petshop_metrics.parquet")
    return PetshopSet(tmp_path)


def test_made_requests_have_the_published_figures(incidents: PetshopSet) -> None:
    (incident,) = incidents.incidents
    spans = [span for span in incidents.telemetry(incident).spans if span.operation == "serve"]
    during = [span for span in spans if span.start_ns >= (FIRST - WINDOW_S) * NS_PER_SECOND]
    assert Counter(span.service for span in during) == {SHOP: 40, "pets_DB..Table": 80}
    assert len(spans) == len(during) * (WINDOWS_BEFORE + 1)
    failed = sum(span.status == Status.STATUS_CODE_ERROR for span in during)
    assert 20 <= failed <= 60
    assert {span.status for span in spans if span not in during} == {Status.STATUS_CODE_UNSET}


def test_made_request_takes_at_least_what_is_below_it(incidents: PetshopSet) -> None:
    (incident,) = incidents.incidents
    spans = {span.span_id: span for span in incidents.telemetry(incident).spans}
    for span in spans.values():
        if span.parent_id:
            above = spans[span.parent_id]
            assert above.start_ns <= span.start_ns
            assert span.start_ns + span.duration_ns <= above.start_ns + above.duration_ns
