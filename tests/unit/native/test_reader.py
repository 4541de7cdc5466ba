"""The compiled reader of requests against the portable one: same spans, same refusals, same warnings, same errors."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.payloads import requests as bench_requests
from tests.unit.native.requests import damaged, hostile, requests
from tests.unit.otlp.wire import LIMITS, NOW_NS, START_NS, traces_request, wire_span
from whence.errors import WhenceError
from whence.otlp import DecodeLimits, Encoding, TraceBatch, decode_traces
from whence.otlp.native import NativeReader

READER = NativeReader()
"""One for all tests, so that what it remembers of one request meets all others."""


def portable(body: bytes, limits: DecodeLimits = LIMITS) -> TraceBatch | str:
    try:
        return decode_traces(body, Encoding.PROTOBUF, limits=limits, now_ns=NOW_NS)
    except WhenceError as error:
        return f"{type(error).__name__}: {error}"


def native(body: bytes, reader: NativeReader = READER) -> TraceBatch | None:
    traces = reader.read(body, LIMITS, NOW_NS)
    return None if traces is None else TraceBatch(traces.batch.spans(), traces.rejections, traces.warnings)


def assert_same(body: bytes) -> None:
    """Whatever the compiled reader understands, it reads as the portable one; it may leave a request to the other."""
    found = native(body)
    assert found is None or found == portable(body)


@settings(deadline=None, max_examples=150)
@given(requests())
def test_sound_requests_are_understood_and_read_alike(request: ExportTraceServiceRequest) -> None:
    body = request.SerializeToString()
    expected = portable(body)
    if isinstance(expected, TraceBatch):
        assert native(body) == expected
        assert native(body, NativeReader()) == expected


@settings(deadline=None, max_examples=150)
@given(damaged())
def test_damaged_requests_are_read_alike_or_left_to_the_other(body: bytes) -> None:
    assert_same(body)


@settings(deadline=None, max_examples=150)
@given(hostile)
def test_misleading_requests_are_read_alike_or_left_to_the_other(body: bytes) -> None:
    assert_same(body)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_alike_or_left_to_the_other(body: bytes) -> None:
    assert_same(body)


@pytest.mark.parametrize("seed", range(3))
def test_load_with_random_damage_is_read_alike_or_left_to_the_other(seed: int) -> None:
    dice = random.Random(seed)
    for request in bench_requests(seed, spans=600, spans_per_request=40):
        assert native(request.body) == portable(request.body)
        for _ in range(20):
            body = bytearray(request.body)
            for _ in range(dice.randint(1, 3)):
                body[dice.randrange(len(body))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
            assert_same(bytes(body))


def test_refused_spans_are_counted_by_reason() -> None:
    request = traces_request(
        wire_span(),
        wire_span(trace_id=bytes(16)),
        wire_span(span_id=b""),
        wire_span(parent_span_id=b"short"),
        wire_span(start_time_unix_nano=START_NS + 2 * 86_400_000_000_000),
    )
    request.resource_spans.add().scope_spans.add().spans.append(wire_span())
    traces = READER.read(request.SerializeToString(), LIMITS, NOW_NS)
    assert traces is not None
    assert len(traces.batch) == 1
    assert dict(traces.rejections.counts) == {
        "zero_trace_id": 1,
        "zero_span_id": 1,
        "bad_id_length": 1,
        "bad_time": 1,
        "unknown_service": 1,
    }


def test_request_over_the_limit_of_records_is_left_to_the_other() -> None:
    body = traces_request(*[wire_span()] * 3).SerializeToString()
    assert READER.read(body, DecodeLimits(max_records=2), NOW_NS) is None
    assert portable(body, DecodeLimits(max_records=2)) == "LimitExceeded: the request holds more than 2 records"


def test_attribute_with_ever_changing_values_is_read_alike_beyond_what_is_remembered() -> None:
    spans = [wire_span(attributes={"aws.s3.key": f"k{number}", "aws.s3.bucket": "b"}) for number in range(5_000)]
    body = traces_request(*spans).SerializeToString()
    expected = portable(body)
    assert native(body) == expected
    assert native(body) == expected


def test_reader_that_remembered_too_much_starts_afresh() -> None:
    reader = NativeReader()
    for part in range(4):
        names = [f"operation {part}-{number}" for number in range(20_000)]
        body = traces_request(*map(wire_span, names)).SerializeToString()
        traces = reader.read(body, LIMITS, NOW_NS)
        assert traces is not None
        assert [span.operation for span in traces.batch.spans()] == names
