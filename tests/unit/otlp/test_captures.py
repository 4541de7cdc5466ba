"""Every request that real exporters sent decodes, to the spans that the published classes see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.unit.otlp.wire import LIMITS
from whence.model.spans import Span
from whence.otlp import Encoding, TraceBatch, decode_logs, decode_traces

SHARED = Path(os.environ.get("WHENCE_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
CAPTURES = SHARED / "payloads" / "otlp"
NOW_NS = 1_900_000_000_000_000_000

pytestmark = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason=f"no captured requests in {CAPTURES} (WHENCE_SHARED_DATA)"
)


def protobuf_requests() -> list[Path]:
    whole = [*CAPTURES.glob("kafka-*.pb"), *CAPTURES.glob("otlphttp-*.pb"), *CAPTURES.glob("mlflow-tracing/*.pb")]
    return sorted([*CAPTURES.rglob("*_traces.pb"), *whole])


def json_lines() -> Iterator[tuple[str, bytes]]:
    for path in sorted(CAPTURES.rglob("*.jsonl")):
        if path.name != "index.jsonl":
            for number, line in enumerate(path.read_bytes().splitlines()):
                yield f"{path.parent.name}/{path.name}:{number}", line


def frames(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    while data:
        size = int.from_bytes(data[:4], "big")
        yield data[4 : 4 + size]
        data = data[4 + size :]


def decoded(body: bytes, encoding: Encoding = Encoding.PROTOBUF) -> TraceBatch:
    return decode_traces(body, encoding, limits=LIMITS, now_ns=NOW_NS)


def all_spans(folder: str) -> list[Span]:
    return [
        span for path in sorted(CAPTURES.glob(f"{folder}/*_traces.pb")) for span in decoded(path.read_bytes()).spans
    ]


def stated(spans: list[Span], name: str) -> tuple[str, ...]:
    """One kind of facts of some spans together."""
    return tuple(sorted({key for span in spans for key in getattr(span.facts, name)}))


@pytest.mark.parametrize("path", protobuf_requests(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_capture_in_protobuf_gives_every_span(path: Path) -> None:
    body = path.read_bytes()
    expected = [
        (span.trace_id, span.span_id, span.parent_span_id, span.start_time_unix_nano, span.status.code == 2)
        for block in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in block.scope_spans
        for span in scope.spans
    ]
    batch = decoded(body)
    assert [(s.trace_id, s.span_id, s.parent_id, s.start_ns, s.is_error) for s in batch.spans] == expected
    assert (batch.rejections.total, batch.warnings) == (0, ())


@pytest.mark.parametrize(
    "path", sorted(CAPTURES.rglob("*_logs.pb")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_capture_of_logs_accepts_every_record(path: Path) -> None:
    body = path.read_bytes()
    blocks = ExportLogsServiceRequest.FromString(body).resource_logs
    batch = decode_logs(body, Encoding.PROTOBUF, limits=LIMITS, now_ns=NOW_NS)
    assert batch.records == sum(len(scope.log_records) for block in blocks for scope in block.scope_logs)
    assert batch.rejections.total == 0


@pytest.mark.parametrize(("name", "line"), [pytest.param(name, line, id=name) for name, line in json_lines()])
def test_capture_in_json_decodes(name: str, line: bytes) -> None:
    if line.startswith(b'{"resourceSpans"'):
        batch = decoded(line, Encoding.JSON)
        assert batch.spans
        assert batch.rejections.total == 0
    elif line.startswith(b'{"resourceLogs"'):
        assert decode_logs(line, Encoding.JSON, limits=LIMITS, now_ns=NOW_NS).records > 0


def test_capture_of_a_file_exporter_decodes_frame_by_frame() -> None:
    spans = [
        span
        for body in frames(CAPTURES / "telemetrygen-traces.fileexporter.len32be.pb")
        for span in decoded(body).spans
    ]
    assert {span.source.service for span in spans} == {"otel://#tg"}


@pytest.mark.parametrize("folder", ["python-auto-legacy-semconv", "python-auto-stable-semconv"])
def test_capture_of_old_and_new_conventions_states_the_same(folder: str) -> None:
    spans = all_spans(folder)
    assert stated(spans, "inputs") == ("postgres://127.0.0.1:45432#postgres",)
    assert stated(spans, "outputs") == ("kafka://127.0.0.1:49092#predictions", "postgres://127.0.0.1:45432#postgres")
    assert stated(spans, "consumes") == ("kafka://127.0.0.1:49092#predictions",)
    assert stated(spans, "models") == ("ml://#fraud@version:7",)


@pytest.mark.parametrize("folder", ["python-auto-legacy-semconv", "python-auto-stable-semconv"])
def test_capture_names_operations_by_route_and_method(folder: str) -> None:
    operations = {span.operation for span in all_spans(folder) if span.facts.operation}
    assert operations == {"GET /score/{id}", "POST /predict", "features.v1.FeatureStore/GetOnlineFeatures"}


def test_capture_of_node_decodes_from_json() -> None:
    (path,) = CAPTURES.glob("node-http-json/*_traces.json")
    batch = decoded(path.read_bytes(), Encoding.JSON)
    assert {span.source.version for span in batch.spans} == {"otel://#ranker@version:2.0.1"}
    assert {span.operation for span in batch.spans if span.kind == 2} == {"GET /inner", "GET /rank/:id"}
    assert stated(batch.spans, "inputs") == ("postgres://127.0.0.1:45432#postgres",)


def test_capture_of_mlflow_names_the_model() -> None:
    (path,) = CAPTURES.glob("mlflow-tracing/*.pb")
    assert stated(decoded(path.read_bytes()).spans, "models") == ("ml://#churn@version:1",)
