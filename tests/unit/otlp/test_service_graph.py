"""Calls that somebody else counted: from the metrics of a service graph to relations."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from tests.unit.otlp.wire import LIMITS, NOW_NS, START_NS, key_values
from whence.errors import DecodeError
from whence.fold import Reported
from whence.model.delta import GraphDelta
from whence.model.kinds import RelationType
from whence.model.spans import ReportedCalls
from whence.otlp import Encoding, decode_metrics

BOTH = pytest.mark.parametrize("encoding", list(Encoding))
TOTAL = "traces_service_graph_request_total"
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
WEB, CART = "otel://#web", "otel://#cart"


def request(
    value: int = 3, name: str = TOTAL, temporality: Any = CUMULATIVE, at: int = 0, **attributes: Any
) -> ExportMetricsServiceRequest:
    """One data point; attributes with ``__`` for a dot."""
    message = ExportMetricsServiceRequest()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
    metric.sum.aggregation_temporality = temporality
    ends = {"client": "web", "server": "cart", **attributes}
    metric.sum.data_points.add(
        start_time_unix_nano=START_NS,
        time_unix_nano=START_NS + at,
        as_int=value,
        attributes=key_values({key.replace("__", "."): text for key, text in ends.items()}),
    )
    return message


def read(message: ExportMetricsServiceRequest, encoding: Encoding = Encoding.PROTOBUF) -> list[ReportedCalls]:
    is_json = encoding is Encoding.JSON
    body = MessageToJson(message).encode() if is_json else message.SerializeToString()
    return decode_metrics(body, encoding, limits=LIMITS, now_ns=NOW_NS).reported


def heard(*messages: ExportMetricsServiceRequest) -> list[GraphDelta]:
    state = Reported()
    return [state.hear(read(one), NOW_NS) for one in messages]


def calls(delta: GraphDelta) -> dict[tuple[str, str], int]:
    return {
        (key.src, key.dst): one.last_seen_ns for key, one in delta.relations.items() if key.type is RelationType.CALLS
    }


@BOTH
def test_counted_calls_are_read_in_either_encoding(encoding: Encoding) -> None:
    (one,) = read(request(7), encoding)
    assert (one.caller.service, one.callee.service, one.value, one.is_delta) == (WEB, CART, 7.0, False)
    assert (one.start_ns, one.time_ns) == (START_NS, START_NS)


@pytest.mark.parametrize("separator", ["__", "_"])
def test_dimensions_tell_namespace_version_and_environment(separator: str) -> None:
    said: dict[str, Any] = {
        f"client_service{separator}namespace": "shop",
        f"client_service{separator}version": "2.4.1",
        f"client_deployment{separator}environment{separator}name": "production",
    }
    (one,) = read(request(3, **said))
    assert (one.caller.version, one.caller.environment) == ("otel://shop#web@version:2.4.1", "production")
    assert one.callee.version == CART


@pytest.mark.parametrize("kind", ["database", "virtual_node"])
def test_ends_that_are_no_services_are_left_out(kind: str) -> None:
    assert read(request(connection_type=kind)) == []
    assert len(read(request(connection_type="messaging_system"))) == 1


@BOTH
def test_other_metrics_are_accepted_and_forgotten(encoding: Encoding) -> None:
    assert read(request(name="http.server.request.duration"), encoding) == []


def test_points_that_name_nobody_or_lie_far_ahead_are_rejected() -> None:
    for message in (request(client=""), request(at=NOW_NS)):
        batch = decode_metrics(message.SerializeToString(), Encoding.PROTOBUF, limits=LIMITS, now_ns=NOW_NS)
        assert (batch.records, batch.rejections.total, batch.reported) == (0, 1, [])


@BOTH
def test_garbage_is_refused(encoding: Encoding) -> None:
    with pytest.raises(DecodeError):
        decode_metrics(b"\xff{", encoding, limits=LIMITS, now_ns=NOW_NS)


def test_counter_that_stands_still_tells_of_no_call() -> None:
    first, same, more = heard(request(3), request(3, at=10), request(4, at=20))
    assert calls(first) == {(WEB, CART): START_NS}
    assert calls(same) == {}
    assert calls(more) == {(WEB, CART): START_NS + 20}


def test_counter_that_begins_anew_tells_of_calls() -> None:
    _, again = heard(request(9), request(2, at=10))
    assert calls(again) == {(WEB, CART): START_NS + 10}


def test_counter_at_zero_tells_of_no_call() -> None:
    assert calls(heard(request(0))[0]) == {}


def test_deltas_tell_of_calls_each_time() -> None:
    found = heard(request(2, temporality=DELTA), request(2, temporality=DELTA, at=10), request(0, temporality=DELTA))
    assert [len(calls(one)) for one in found] == [1, 1, 0]


def test_calls_are_told_without_counts_with_their_services() -> None:
    (delta,) = heard(request(client_service__version="2"))
    assert (delta.edges, set(delta.entities)) == ({}, {WEB, CART, "otel://#web@version:2"})
    assert {key.type for key in delta.relations} == {RelationType.CALLS, RelationType.HAS_VERSION}
