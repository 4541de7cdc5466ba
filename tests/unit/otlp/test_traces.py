"""Spans in either encoding: fields, checks, and what must not get through."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from tests.unit.otlp.wire import (
    LIMITS,
    NOW_NS,
    SERVICE,
    START_NS,
    body_of,
    decode,
    facts_of,
    key_values,
    only_span,
    traces_request,
    wire_span,
)
from whence.errors import DecodeError, LimitExceeded
from whence.model.spans import Span
from whence.otlp import Encoding, decode_traces

BOTH = pytest.mark.parametrize("encoding", list(Encoding))
DAY_NS = 86_400_000_000_000


@BOTH
def test_span_keeps_ids_times_and_source(encoding: Encoding) -> None:
    (span,) = decode(traces_request(wire_span("GET /", parent_span_id=b"p" * 8)), encoding).spans
    assert span[:9] == (b"t" * 16, b"s" * 8, b"p" * 8, 2, "GET /", START_NS, START_NS + 10_000_000, False, 1.0)
    assert span.source.version == "otel://shop#cart@version:v1"


@BOTH
def test_span_with_status_error_is_an_error(encoding: Encoding) -> None:
    failed = wire_span(status={"code": 2, "message": "no"})
    assert [span.is_error for span in decode(traces_request(failed, wire_span()), encoding).spans] == [True, False]


@BOTH
def test_span_with_zero_parent_is_a_root(encoding: Encoding) -> None:
    assert decode(traces_request(wire_span(parent_span_id=bytes(8))), encoding).spans[0].parent_id == b""


@BOTH
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": bytes(16)}, "zero_trace_id"),
        ({"trace_id": b""}, "zero_trace_id"),
        ({"span_id": bytes(8)}, "zero_span_id"),
        ({"span_id": b""}, "zero_span_id"),
        ({"trace_id": b"t" * 8}, "bad_id_length"),
        ({"span_id": b"s" * 9}, "bad_id_length"),
        ({"parent_span_id": b"p" * 3}, "bad_id_length"),
        ({"start_time_unix_nano": 0}, "bad_time"),
        ({"end_time_unix_nano": 0}, "bad_time"),
        ({"end_time_unix_nano": START_NS - 2_000_000_000}, "bad_time"),
        ({"start_time_unix_nano": NOW_NS + 2 * DAY_NS, "end_time_unix_nano": NOW_NS + 2 * DAY_NS}, "bad_time"),
        ({"end_time_unix_nano": 2**64 - 1}, "bad_time"),
    ],
)
def test_span_that_is_unusable_is_counted_and_the_rest_kept(
    encoding: Encoding, fields: dict[str, Any], reason: str
) -> None:
    batch = decode(traces_request(wire_span(**fields), wire_span()), encoding)
    assert len(batch.spans) == 1
    assert batch.rejections.counts == ((reason, 1),)


@BOTH
def test_span_of_unknown_service_is_rejected(encoding: Encoding) -> None:
    request = traces_request(wire_span(), wire_span(), resource={"service.name": "unknown_service:python"})
    assert decode(request, encoding).rejections.counts == (("unknown_service", 2),)


@BOTH
def test_span_of_years_ago_is_taken(encoding: Encoding) -> None:
    old = 1_300_000_000_000_000_000
    assert decode(traces_request(wire_span(start_time_unix_nano=old, end_time_unix_nano=old + 1)), encoding).spans


@BOTH
def test_span_that_ends_a_moment_before_it_starts_takes_no_time(encoding: Encoding) -> None:
    (span,) = decode(traces_request(wire_span(end_time_unix_nano=START_NS - 1_000_000)), encoding).spans
    assert span.end_ns == span.start_ns


@BOTH
@pytest.mark.parametrize(
    ("trace_state", "weight"),
    [
        ("", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c", 4.0),
        ("vendor=1,ot=rv:00000000000001;th:c", 4.0),
        ("ot=th:0", 1.0),
        ("ot=th:ffffffffffffff", 2.0**56),
        ("ot=th:5555", 1.5),
        ("ot=th:xyz", 1.0),
        ("not=th:8", 1.0),
        ("ot=th:123456789abcdef", 1.0),
    ],
)
def test_span_weighs_as_many_requests_as_its_threshold_says(
    encoding: Encoding, trace_state: str, weight: float
) -> None:
    assert decode(traces_request(wire_span(trace_state=trace_state)), encoding).spans[0].weight == weight


@BOTH
def test_span_of_a_consumer_keeps_its_links(encoding: Encoding) -> None:
    links = [WireSpan.Link(trace_id=b"a" * 16, span_id=b"b" * 8), WireSpan.Link(trace_id=b"a", span_id=b"b")]
    consumer, server = decode(traces_request(wire_span(kind=5, links=links), wire_span(links=links)), encoding).spans
    assert consumer.links == ((b"a" * 16, b"b" * 8),)
    assert server.links == ()


@BOTH
def test_span_event_of_a_flag_becomes_a_fact(encoding: Encoding) -> None:
    events = [
        WireSpan.Event(name="exception", attributes=key_values({"exception.message": "secret"})),
        WireSpan.Event(
            name="feature_flag",
            attributes=key_values(
                {"feature_flag.key": "new-ranker", "feature_flag.variant": "on", "feature_flag.provider_name": "flagd"}
            ),
        ),
    ]
    (span,) = decode(traces_request(wire_span(events=events)), encoding).spans
    assert span.facts.flags == ("flag://flagd#new-ranker@version:on",)


def test_span_may_not_state_flags_as_an_attribute() -> None:
    assert facts_of({"feature_flag": "flag://x#y"}).flags == ()


@BOTH
def test_batch_of_both_encodings_is_the_same(encoding: Encoding) -> None:
    attributes: dict[str, object] = {
        "http.request.method": "GET",
        "http.route": "/r/{id}",
        "whence.models": ["mlflow+https://ml.shop.dev#ranker@version:7"],
        "whence.inputs": "s3://lake#a@iceberg:1 s3://lake#b@iceberg:2",
        "whence.outcome.bad": True,
        "shop.map": {"a": [1, 2.5, None, {"b": b"raw"}]},
        "shop.empty": None,
    }
    (span,) = decode(traces_request(wire_span(attributes=attributes)), encoding).spans
    assert span.operation == "GET /r/{id}"
    assert span.facts.models == ("mlflow+https://ml.shop.dev#ranker@version:7",)
    assert span.facts.inputs == ("s3://lake#a@iceberg:1", "s3://lake#b@iceberg:2")
    assert span.facts.poor


@BOTH
def test_request_without_anything_is_fine(encoding: Encoding) -> None:
    body = b"" if encoding is Encoding.PROTOBUF else b"{}"
    assert decode_traces(body, encoding, limits=LIMITS, now_ns=NOW_NS).spans == []


@BOTH
@pytest.mark.parametrize("body", [b"\xff\xff", b"{", b"\n\x05abc", b"[]", b"\0"])
def test_request_that_is_malformed_raises(encoding: Encoding, body: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_traces(body, encoding, limits=LIMITS, now_ns=NOW_NS)


@BOTH
def test_request_with_too_many_spans_is_refused(encoding: Encoding) -> None:
    limits = dataclasses.replace(LIMITS, max_records=1)
    body = body_of(traces_request(wire_span(), wire_span()), encoding)
    with pytest.raises(LimitExceeded, match="1 records"):
        decode_traces(body, encoding, limits=limits, now_ns=NOW_NS)


@BOTH
def test_request_beyond_the_size_limit_is_refused(encoding: Encoding) -> None:
    limits = dataclasses.replace(LIMITS, max_body_bytes=10)
    with pytest.raises(LimitExceeded, match="10 bytes"):
        decode_traces(body_of(traces_request(wire_span()), encoding), encoding, limits=limits, now_ns=NOW_NS)


def test_attribute_with_its_value_before_its_key_is_read() -> None:
    pair = key_values({"http.route": "/r"})[0].SerializeToString()
    key_size = 2 + len("http.route")
    swapped = pair[key_size:] + pair[:key_size]
    span = wire_span(attributes={"http.request.method": "GET"}).SerializeToString()
    body = span + b"\x4a" + bytes([len(swapped)]) + swapped
    request = traces_request()
    request.resource_spans[0].scope_spans[0].spans.append(WireSpan.FromString(body))
    raw = request.SerializeToString().replace(pair, swapped)
    assert decode_traces(raw, Encoding.PROTOBUF, limits=LIMITS, now_ns=NOW_NS).spans[0].operation == "GET /r"


def test_attribute_that_is_wanted_and_malformed_fails_the_request() -> None:
    pair = key_values({"http.route": "/r"})[0].SerializeToString()
    body = body_of(traces_request(wire_span(attributes={"http.route": "/r"})), Encoding.PROTOBUF)
    with pytest.raises(DecodeError):
        decode_traces(
            body.replace(pair, pair[:-4] + b"\xff\xff\xff\xff"), Encoding.PROTOBUF, limits=LIMITS, now_ns=NOW_NS
        )


def test_text_that_is_not_utf8_does_not_cost_the_request() -> None:
    body = body_of(traces_request(wire_span("n\u00e4me")), Encoding.PROTOBUF).replace("\u00e4".encode(), b"\xff\xff")
    (span,) = decode_traces(body, Encoding.PROTOBUF, limits=LIMITS, now_ns=NOW_NS).spans
    assert span.operation == "n\ufffd\ufffdme"


def test_attribute_values_that_never_repeat_are_still_read() -> None:
    spans = [wire_span(attributes={"http.route": f"/{n}", "http.request.method": "GET", "n": n}) for n in range(5000)]
    operations = [span.operation for span in decode(traces_request(*spans)).spans]
    assert operations == [f"GET /{n}" for n in range(5000)]


SECRET = "s3cret"


@BOTH
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5])
def test_content_never_leaves_the_decoder(encoding: Encoding, kind: int) -> None:
    attributes: dict[str, object] = {
        "http.url": f"http://user:{SECRET}@api.shop.dev/pay/{SECRET}?token={SECRET}#{SECRET}",
        "url.query": SECRET,
        "url.path": f"/{SECRET}",
        "http.target": f"/u?token={SECRET}",
        "db.system": "postgresql",
        "db.statement": f"select '{SECRET}'",
        "db.query.text": SECRET,
        "gen_ai.input.messages": SECRET,
        "gen_ai.prompt": SECRET,
        "input.value": SECRET,
        "mlflow.spanInputs": SECRET,
        "enduser.id": SECRET,
        "process.command_args": [SECRET],
    }
    events = [WireSpan.Event(name="exception", attributes=key_values({"exception.message": SECRET}))]
    resource = {
        **SERVICE,
        "process.command_line": SECRET,
        "vcs.repository.url.full": f"https://me:{SECRET}@git.shop.dev/cart?{SECRET}",
    }
    batch = decode(traces_request(wire_span("call", attributes, kind=kind, events=events), resource=resource), encoding)
    assert SECRET not in repr(batch)


wire_spans = st.builds(
    wire_span,
    name=st.text(max_size=8),
    attributes=st.dictionaries(
        st.sampled_from(["http.route", "db.system", "db.name", "peer.service", "whence.inputs", "other", "rpc.method"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.text(max_size=12),
            st.lists(st.text(max_size=5), max_size=3),
            st.binary(max_size=4),
        ),
        max_size=5,
    ),
    kind=st.integers(0, 5),
    trace_id=st.sampled_from([b"t" * 16, bytes(16), b"short"]),
    parent_span_id=st.sampled_from([b"", b"p" * 8, bytes(8)]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(wire_spans, max_size=4))
def test_batch_does_not_depend_on_the_encoding(spans: list[WireSpan]) -> None:
    request = traces_request(*spans)
    assert decode(request, Encoding.JSON) == decode(request, Encoding.PROTOBUF)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=80))
def test_bytes_of_any_kind_decode_or_raise_decode_error(noise: bytes) -> None:
    body = body_of(traces_request(wire_span()), Encoding.PROTOBUF)
    for mangled in (noise, noise + body, body[: len(noise)] + noise + body[2 * len(noise) :]):
        for encoding in Encoding:
            try:
                batch = decode_traces(mangled, encoding, limits=LIMITS, now_ns=NOW_NS)
            except DecodeError:
                continue
            assert all(isinstance(span, Span) for span in batch.spans)


def test_spans_that_state_the_same_share_one_source_and_facts() -> None:
    first, second = (only_span(wire_span(attributes={"http.route": "/shared"})) for _ in range(2))
    assert first.source is second.source
    assert first.facts is second.facts


def test_attribute_without_a_value_does_not_hide_later_ones() -> None:
    many: list[dict[str, object]] = [{"server.address": f"host-{n}"} for n in range(300)]
    many.append({"server.address": None})
    for attributes in many:
        decode(traces_request(wire_span(attributes=attributes, kind=3)))
    assert facts_of({"server.address": "new-host"}).peer == "net://#new-host"


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e300])
def test_number_that_json_writes_as_text_is_the_same_in_both_encodings(value: float) -> None:
    request = traces_request(wire_span(name="", attributes={"http.route": value}, kind=2))
    assert decode(request, Encoding.JSON) == decode(request, Encoding.PROTOBUF)
