"""What is particular to OTLP/JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.otlp.wire import LIMITS, NOW_NS, START_NS
from whence.errors import DecodeError
from whence.otlp import Encoding, TraceBatch, decode_logs, decode_traces

SERVICE = [{"key": "service.name", "value": {"stringValue": "cart"}}]


def decode(span: dict[str, Any], **request: Any) -> TraceBatch:
    return decode_body({**request_of(span), **request})


def request_of(span: dict[str, Any]) -> dict[str, Any]:
    whole = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "GET",
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 1),
        **span,
    }
    block = {"resource": {"attributes": SERVICE}, "scopeSpans": [{"spans": [whole]}]}
    return {"resourceSpans": [block]}


def decode_body(body: object) -> TraceBatch:
    return decode_traces(json.dumps(body).encode(), Encoding.JSON, limits=LIMITS, now_ns=NOW_NS)


def test_ids_may_be_hex_of_either_case() -> None:
    assert decode({"traceId": "0AF7651916cd43DD8448EB211C80319C"}).spans == decode({}).spans


@pytest.mark.parametrize(
    "bad", [{"traceId": "CvdlGRbNQ92ESOshHIAxnA=="}, {"spanId": "zz"}, {"parentSpanId": "b7ad 6b71"}]
)
def test_ids_that_are_not_hex_raise(bad: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="hex"):
        decode(bad)


def test_numbers_of_64_bits_may_be_numbers() -> None:
    assert decode({"startTimeUnixNano": START_NS, "endTimeUnixNano": START_NS + 1}).spans == decode({}).spans


@pytest.mark.parametrize(
    "bad", [{"startTimeUnixNano": "soon"}, {"kind": "SPAN_KIND_ODD"}, {"name": 5}, {"attributes": {}}]
)
def test_fields_of_the_wrong_type_raise(bad: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        decode(bad)


def test_names_of_enum_members_are_taken_and_counted() -> None:
    batch = decode({"kind": "SPAN_KIND_SERVER", "status": {"code": "STATUS_CODE_ERROR"}})
    assert (batch.spans[0].kind, batch.spans[0].is_error) == (2, True)
    assert batch.warnings == (("json_enum_name", 2),)


def test_keys_in_snake_case_are_taken_and_counted() -> None:
    span = {
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "name": "GET",
        "start_time_unix_nano": START_NS,
        "end_time_unix_nano": START_NS + 1,
        "attributes": [{"key": "trace_id", "value": {"string_value": "x"}}],
    }
    attributes = [{"key": "service.name", "value": {"string_value": "cart"}}]
    block = {"resource": {"attributes": attributes}, "scope_spans": [{"spans": [span]}]}
    batch = decode_body({"resource_spans": [block]})
    assert batch.spans == decode({}).spans
    assert batch.warnings == (("json_snake_case_key", 8),)


def test_fields_that_nobody_knows_are_ignored() -> None:
    assert decode({"invented": [1, {"a": None}]}, alsoInvented=5).spans == decode({}).spans


def test_null_is_the_same_as_absent() -> None:
    span = decode({"parentSpanId": None, "kind": None, "attributes": None, "events": None, "status": None}).spans[0]
    assert (span.parent_id, span.kind, span.is_error) == (b"", 0, False)
    assert decode_body({"resourceSpans": None}).spans == []
    assert decode_body({"resourceSpans": [{"scopeSpans": None}, {"resource": None}]}).spans == []


@pytest.mark.parametrize(
    "value", [{}, None, {"stringValue": None}, {"bytesValue": "AAE="}, {"arrayValue": {}}, {"kvlistValue": {}}]
)
def test_attribute_values_without_text_are_absent(value: object) -> None:
    assert decode({"attributes": [{"key": "http.route", "value": value}]}).spans[0].operation == "GET"


@pytest.mark.parametrize(
    "value", [{"arrayValue": 5}, {"intValue": "x"}, {"intValue": []}, {"kvlistValue": {"values": [1]}}]
)
def test_attribute_values_of_the_wrong_shape_raise_when_wanted(value: object) -> None:
    with pytest.raises(DecodeError):
        decode({"attributes": [{"key": "http.route", "value": value}]})


@pytest.mark.parametrize("encode", [decode_traces, decode_logs])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"resourceSpans":[', b'{"trace_id":['])
def test_json_nested_without_end_raises(encode: Any, opening: bytes) -> None:
    with pytest.raises(DecodeError):
        encode(opening * 100_000, Encoding.JSON, limits=LIMITS, now_ns=NOW_NS)


def test_attribute_nested_without_end_raises() -> None:
    deep = '{"arrayValue":{"values":[' * 2000 + "]}}" * 2000
    for key in ("other", "http.route"):
        body = json.dumps(request_of({"attributes": [{"key": key, "value": "DEEP"}]})).replace('"DEEP"', deep)
        with pytest.raises(DecodeError):
            decode_traces(body.encode(), Encoding.JSON, limits=LIMITS, now_ns=NOW_NS)


def test_log_of_a_time_before_all_time_is_rejected() -> None:
    block = {"resource": {"attributes": SERVICE}, "scopeLogs": [{"logRecords": [{"timeUnixNano": -5}]}]}
    body = json.dumps({"resourceLogs": [block]}).encode()
    batch = decode_logs(body, Encoding.JSON, limits=LIMITS, now_ns=NOW_NS)
    assert batch.rejections.counts == (("bad_time", 1),)


def test_body_that_is_empty_raises() -> None:
    with pytest.raises(DecodeError):
        decode_traces(b"", Encoding.JSON, limits=LIMITS, now_ns=NOW_NS)
