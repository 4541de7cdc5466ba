"""What bad input gets, over the wire: one test for each row of the promise."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
import zstandard
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.otlp_requests import JSON, PROTOBUF, add_span, resource, some_spans, traces
from tests.whence_server import WhenceServer, free_ports, running_whence

LIMIT = 200_000
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture(scope="module")
def whence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhenceServer]:
    folder = tmp_path_factory.mktemp("bad-input") / "data"
    fast = {"WHENCE_TRACE_IDLE_SECONDS": "0.2", "WHENCE_FLUSH_SECONDS": "0.2", "WHENCE_MAX_BODY_BYTES": str(LIMIT)}
    with running_whence(folder, **fast) as server:
        yield server


def post(server: WhenceServer, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{server.otlp_http}/v1/traces", content=body, headers=headers, timeout=20)


def export(server: WhenceServer, body: bytes, token: str | None = None) -> bytes:
    metadata = (("authorization", f"Bearer {token}"),) if token else None
    with grpc.insecure_channel(server.otlp_grpc, options=[("grpc.max_send_message_length", -1)]) as channel:
        call = channel.unary_unary(EXPORT, request_serializer=bytes, response_deserializer=bytes)
        answer: bytes = call(body, metadata=metadata, timeout=20)
        return answer


MALFORMED = [
    pytest.param(b"\x0a\xff\xff\xff", PROTOBUF, id="protobuf"),
    pytest.param(b'{"resourceSpans": [', JSON, id="json"),
    pytest.param(b"", JSON, id="empty-json"),
    pytest.param(gzip.compress(some_spans("a", 3))[:-9], {**PROTOBUF, "content-encoding": "gzip"}, id="cut-gzip"),
    pytest.param(b"not gzip", {**PROTOBUF, "content-encoding": "gzip"}, id="not-gzip"),
    pytest.param(b"not zstd", {**PROTOBUF, "content-encoding": "zstd"}, id="not-zstd"),
    pytest.param(some_spans("a", 3), {**PROTOBUF, "content-encoding": "br"}, id="unknown-encoding"),
]


@pytest.mark.parametrize(("body", "headers"), MALFORMED)
def test_malformed_body_gets_400_with_a_status_in_its_encoding(
    whence: WhenceServer, body: bytes, headers: dict[str, str]
) -> None:
    answer = post(whence, body, headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == headers["content-type"]
    if headers["content-type"] == JSON["content-type"]:
        assert answer.json()["code"] == 3
        assert answer.json()["message"]
    else:
        status = Status.FromString(answer.content)
        assert (status.code, bool(status.message)) == (3, True)


def test_malformed_grpc_body_gets_invalid_argument(whence: WhenceServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        export(whence, b"\x0a\xff\xff\xff")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def resident_bytes(server: WhenceServer) -> int:
    assert server.process is not None
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("kind", ["identity", "gzip", "zstd"])
def test_body_over_the_limit_gets_413_and_memory_stays_bounded(whence: WhenceServer, kind: str) -> None:
    zeros, headers = bytes(200_000_000), {**PROTOBUF, "content-encoding": kind}
    bodies = {"identity": zeros[: LIMIT + 1], "gzip": gzip.compress(zeros), "zstd": zstandard.compress(zeros)}
    body = bodies[kind]
    before = resident_bytes(whence)
    assert [post(whence, body, headers).status_code for _ in range(5)] == [413] * 5
    assert resident_bytes(whence) - before < 50_000_000


def test_grpc_body_over_the_limit_gets_resource_exhausted(whence: WhenceServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        export(whence, some_spans("big", 5_000))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def mixed_request() -> bytes:
    good = resource("good")
    add_span(good)
    add_span(good, span_id=bytes(8))
    add_span(good, trace_id=bytes(16))
    add_span(good, start_ns=2**62)
    nameless = resource(None)
    add_span(nameless)
    unknown = resource("unknown_service:python")
    add_span(unknown)
    return traces(good, nameless, unknown).SerializeToString()


def test_unusable_spans_get_partial_success_and_are_counted_by_reason(whence: WhenceServer) -> None:
    answer = post(whence, mixed_request(), PROTOBUF)
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 5
    assert "unknown_service" in partial.error_message
    metrics = httpx.get(f"{whence.api}/metrics").text
    for reason, count in {"zero_span_id": 1, "zero_trace_id": 1, "bad_time": 1, "unknown_service": 2}.items():
        assert f'whence_rejected_records_total{{reason="{reason}"}} {count}' in metrics.replace(".0\n", "\n")


def test_unknown_path_method_and_type_are_told_apart(whence: WhenceServer) -> None:
    assert httpx.post(f"{whence.otlp_http}/v2/traces", content=b"", headers=PROTOBUF).status_code == 404
    assert httpx.get(f"{whence.otlp_http}/v1/traces").status_code == 405
    assert post(whence, b"", {"content-type": "text/csv"}).status_code == 415


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    assert body["title"]
    return body


def test_unknown_entity_gets_404_with_the_nearest_names(whence: WhenceServer) -> None:
    add = resource("checkout", service__namespace="shop")
    add_span(add)
    assert post(whence, traces(add).SerializeToString(), PROTOBUF).status_code == 200
    for _ in range(100):
        if httpx.get(f"{whence.api}/api/v1/entities", params={"q": "checkout"}).json()["items"]:
            break
        threading.Event().wait(0.1)
    body = problem(httpx.get(f"{whence.api}/api/v1/upstream", params={"entity": "chekout"}), 404)
    assert body["nearest"] == ["otel://shop#checkout"]


BAD_QUERIES = [
    pytest.param({"symptom": {"entity": "checkout", "signal": "pain"}, "detected_at": "now"}, "signal", id="signal"),
    pytest.param({"symptom": {"entity": "checkout"}, "detected_at": "yesterday-ish"}, "detected_at", id="time"),
    pytest.param({"symptom": {"entity": "checkout"}, "detected_at": "now", "limit": -1}, "limit", id="limit"),
]


@pytest.mark.parametrize(("body", "field"), BAD_QUERIES)
def test_bad_field_gets_422_naming_it(whence: WhenceServer, body: dict[str, object], field: str) -> None:
    told = problem(httpx.post(f"{whence.api}/api/v1/investigations", json=body), 422)
    assert field in str(told["errors"])


def test_window_that_ends_before_it_starts_gets_422(whence: WhenceServer) -> None:
    window = {"entity": "checkout", "from": "2026-11-23T12:00:00Z", "to": "2026-11-23T11:00:00Z"}
    told = problem(httpx.get(f"{whence.api}/api/v1/upstream", params=window), 422)
    assert "from" in str(told["errors"])


def test_reference_that_does_not_parse_gets_422_with_grammar_and_position(whence: WhenceServer) -> None:
    change = {"id": "x", "kind": "deployment", "subject": "otel://shop#a@Version:1", "effective_at": "now"}
    told = problem(httpx.post(f"{whence.api}/api/v1/changes", json=change), 422)
    assert "namespace" in str(told)
    assert "position 14" in str(told)


def test_request_without_or_with_wrong_token_gets_401_or_403(tmp_path: Path) -> None:
    tokens = "ingest:sesame,read:look"
    with running_whence(tmp_path / "data", WHENCE_TOKENS=tokens) as server:
        body = some_spans("a", 1)
        assert post(server, body, PROTOBUF).status_code == 401
        assert post(server, body, {**PROTOBUF, "authorization": "Bearer guess"}).status_code == 401
        assert post(server, body, {**PROTOBUF, "authorization": "Bearer look"}).status_code == 403
        assert post(server, body, {**PROTOBUF, "authorization": "Bearer sesame"}).status_code == 200
        for token, code in {"": "UNAUTHENTICATED", "guess": "UNAUTHENTICATED", "look": "PERMISSION_DENIED"}.items():
            with pytest.raises(grpc.RpcError) as caught:
                export(server, body, token)
            assert caught.value.code().name == code
        assert export(server, body, "sesame") == b""
        url = f"{server.api}/api/v1/entities"
        problem(httpx.get(url), 401)
        problem(httpx.get(url, headers={"authorization": "Bearer sesame"}), 403)
        assert httpx.get(url, headers={"authorization": "Bearer look"}).status_code == 200


def test_token_that_sends_too_much_is_told_to_wait_and_others_are_not(tmp_path: Path) -> None:
    tokens = "wild@ingest:one,calm@ingest:two,read:look"
    with running_whence(tmp_path / "data", WHENCE_TOKENS=tokens, WHENCE_TOKEN_BYTES_PER_SECOND="100") as server:
        body = some_spans("a", 20)
        wild, calm = ({**PROTOBUF, "authorization": f"Bearer {secret}"} for secret in ("one", "two"))
        assert post(server, body, wild).status_code == 200
        refused = post(server, some_spans("b", 20), wild)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        with pytest.raises(grpc.RpcError) as caught:
            export(server, some_spans("c", 20), "one")
        assert caught.value.code().name == "UNAVAILABLE"
        assert post(server, some_spans("d", 20), calm).status_code == 200
        scrape = httpx.get(f"{server.api}/metrics", headers={"authorization": "Bearer look"}).text
        assert 'whence_rate_limited_requests_total{token="wild"} 2' in scrape


def test_bind_beyond_loopback_without_tokens_refuses_to_start_and_says_how(tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    environment = {**os.environ, "WHENCE_HOST": "0.0.0.0", "WHENCE_API_PORT": port, "WHENCE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "whence.cli", "serve"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "WHENCE_TOKENS" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_full_queue_gets_429_with_a_short_retry_after_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with running_whence(tmp_path / "data", WHENCE_QUEUE_MAX_BYTES="4096") as server:
        body = some_spans("busy", 400)
        answers: list[httpx.Response] = []
        threads = [threading.Thread(target=lambda: answers.append(post(server, body, PROTOBUF))) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        codes = {answer.status_code for answer in answers}
        assert codes == {200, 429}
        refused = [answer for answer in answers if answer.status_code == 429]
        assert all(0 < int(answer.headers["retry-after"]) <= 5 for answer in refused)
        assert Status.FromString(refused[0].content).code == 8
        metrics = httpx.get(f"{server.api}/metrics").text
        assert 'whence_refused_requests_total{reason="queue_full"}' in metrics
