"""Replies are read back with the published classes."""

from __future__ import annotations

import json

import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from whence.model.spans import Rejections
from whence.otlp import Encoding
from whence.otlp.replies import encode_retry_info, encode_status, encode_success

REJECTED = Rejections((("bad_time", 2), ("zero_span_id", 1)))


@pytest.mark.parametrize("signal", ["TRACES", "LOGS"])
def test_success_is_empty_when_all_was_taken(signal: str) -> None:
    assert encode_success(signal, Rejections(), Encoding.PROTOBUF) == b""
    assert encode_success(signal, Rejections(), Encoding.JSON) == b"{}"


def test_success_in_protobuf_says_what_was_rejected() -> None:
    traces = ExportTraceServiceResponse.FromString(
        encode_success("TRACES", REJECTED, Encoding.PROTOBUF)
    ).partial_success
    logs = ExportLogsServiceResponse.FromString(encode_success("LOGS", REJECTED, Encoding.PROTOBUF)).partial_success
    assert (traces.rejected_spans, logs.rejected_log_records) == (3, 3)
    assert traces.error_message == logs.error_message == "rejected 2 bad_time, 1 zero_span_id"


@pytest.mark.parametrize(("signal", "field"), [("TRACES", "rejectedSpans"), ("LOGS", "rejectedLogRecords")])
def test_success_in_json_says_what_was_rejected(signal: str, field: str) -> None:
    partial = json.loads(encode_success(signal, REJECTED, Encoding.JSON))["partialSuccess"]
    assert partial == {field: "3", "errorMessage": "rejected 2 bad_time, 1 zero_span_id"}


def test_status_in_protobuf_carries_code_message_and_delay() -> None:
    status = Status.FromString(encode_status(14, "full \u00e4", Encoding.PROTOBUF, retry_after_seconds=5))
    assert (status.code, status.message) == (14, "full \u00e4")
    (detail,) = status.details
    info = RetryInfo()
    assert detail.Unpack(info)
    assert info.retry_delay.seconds == 5


def test_status_in_json_carries_code_message_and_delay() -> None:
    status = json.loads(encode_status(14, "full", Encoding.JSON, retry_after_seconds=5))
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "5s"}
    assert status == {"code": 14, "message": "full", "details": [detail]}


@pytest.mark.parametrize("encoding", list(Encoding))
def test_status_without_a_delay_has_no_details(encoding: Encoding) -> None:
    body = encode_status(3, "bad", encoding)
    if encoding is Encoding.PROTOBUF:
        assert not Status.FromString(body).details
    else:
        assert json.loads(body) == {"code": 3, "message": "bad"}


def test_retry_info_stands_alone() -> None:
    assert RetryInfo.FromString(encode_retry_info(3)).retry_delay.seconds == 3
