"""Requests for the tests of decoding: built once, written in either encoding."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from whence.model.spans import Facts, Source, Span
from whence.otlp import DecodeLimits, Encoding, LogBatch, TraceBatch, decode_logs, decode_traces

START_NS = 1_795_000_000_000_000_000
NOW_NS = START_NS + 60_000_000_000
LIMITS = DecodeLimits()
SERVICE: Mapping[str, object] = {"service.namespace": "shop", "service.name": "cart", "service.version": "v1"}
_ID_FIELDS = frozenset({"traceId", "spanId", "parentSpanId"})


def wire_span(name: str = "GET /", attributes: Mapping[str, object] | None = None, **fields: Any) -> WireSpan:
    """A server span of 10 ms."""
    given = {
        "trace_id": b"t" * 16,
        "span_id": b"s" * 8,
        "kind": 2,
        "start_time_unix_nano": START_NS,
        "end_time_unix_nano": START_NS + 10_000_000,
        **fields,
    }
    return WireSpan(name=name, attributes=key_values(attributes or {}), **given)


def traces_request(*spans: WireSpan, resource: Mapping[str, object] = SERVICE) -> ExportTraceServiceRequest:
    """Spans of one resource."""
    request = ExportTraceServiceRequest()
    block = request.resource_spans.add()
    block.resource.attributes.extend(key_values(resource))
    block.scope_spans.add().spans.extend(spans)
    return request


def logs_request(*records: LogRecord, resource: Mapping[str, object] = SERVICE) -> ExportLogsServiceRequest:
    """Log records of one resource."""
    request = ExportLogsServiceRequest()
    block = request.resource_logs.add()
    block.resource.attributes.extend(key_values(resource))
    block.scope_logs.add().log_records.extend(records)
    return request


def key_values(attributes: Mapping[str, object]) -> list[KeyValue]:
    """Attributes as they go over the wire."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def any_value(value: object) -> AnyValue:
    """A plain value as it goes over the wire; None is the empty one."""
    wire = AnyValue()
    if isinstance(value, bool):
        wire.bool_value = value
    elif isinstance(value, str):
        wire.string_value = value
    elif isinstance(value, int):
        wire.int_value = value
    elif isinstance(value, float):
        wire.double_value = value
    elif isinstance(value, bytes):
        wire.bytes_value = value
    elif isinstance(value, Mapping):
        wire.kvlist_value.values.extend(key_values(value))
    elif isinstance(value, list):
        wire.array_value.values.extend(map(any_value, value))
    return wire


def body_of(request: Message, encoding: Encoding) -> bytes:
    """A request in an encoding; in JSON ids are hex, as OTLP has it."""
    if encoding is Encoding.PROTOBUF:
        return request.SerializeToString()
    return json.dumps(_with_hex_ids(MessageToDict(request, use_integers_for_enums=True))).encode()


def _with_hex_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_hex_ids(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64decode(item).hex() if key in _ID_FIELDS else _with_hex_ids(item)
            for key, item in value.items()
        }
    return value


def decode(request: ExportTraceServiceRequest, encoding: Encoding = Encoding.PROTOBUF) -> TraceBatch:
    """Decode spans a minute after they were sent."""
    return decode_traces(body_of(request, encoding), encoding, limits=LIMITS, now_ns=NOW_NS)


def decode_log_request(request: ExportLogsServiceRequest, encoding: Encoding = Encoding.PROTOBUF) -> LogBatch:
    """Decode log records a minute after they were sent."""
    return decode_logs(body_of(request, encoding), encoding, limits=LIMITS, now_ns=NOW_NS)


def only_span(span: WireSpan, resource: Mapping[str, object] = SERVICE) -> Span:
    """The one span of a request."""
    (decoded,) = decode(traces_request(span, resource=resource)).spans
    return decoded


def facts_of(attributes: Mapping[str, object], *, kind: int = 3, name: str = "call") -> Facts:
    """What attributes of one span state."""
    return only_span(wire_span(name, attributes, kind=kind)).facts


def source_of(resource: Mapping[str, object]) -> Source:
    """What a resource comes down to."""
    return only_span(wire_span(), resource).source
