"""Spans as they are told, and OTLP requests of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from whence.model import names

EXPORT_EVERY_NS = 5_000_000_000
ENVIRONMENT = "production"
Attribute = tuple[str, str | bool | tuple[str, ...]]


class Emitter(NamedTuple):
    """One process. ``version`` empty: it doesn't tell."""

    service: str
    version: str
    instance: str


class SpanRow(NamedTuple):
    """One span on its way out."""

    emitter: Emitter
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    kind: int
    operation: str
    start_ns: int
    end_ns: int
    failed: bool
    attributes: tuple[Attribute, ...] = ()
    flags: tuple[tuple[str, str], ...] = ()
    """Flags that were evaluated, with their variants."""
    link: tuple[bytes, bytes] | None = None


class Envelope(NamedTuple):
    """One request to whence: OTLP bytes, or a JSON document."""

    arrival_ns: int
    path: str
    body: bytes | Mapping[str, object]
    headers: tuple[tuple[str, str], ...] = ()


def trace_envelopes(rows: Sequence[SpanRow], trace_state: str) -> Iterator[Envelope]:
    """Requests as one collector would send them, every few seconds, by the end of the spans."""
    windows: dict[int, list[SpanRow]] = {}
    for row in rows:
        windows.setdefault(row.end_ns // EXPORT_EVERY_NS, []).append(row)
    for window, members in windows.items():
        yield Envelope((window + 1) * EXPORT_EVERY_NS, "/v1/traces", _request(members, trace_state))


def log_envelopes(rows: Sequence[SpanRow]) -> Iterator[Envelope]:
    """An error record for each span given."""
    windows: dict[int, list[SpanRow]] = {}
    for row in rows:
        windows.setdefault(row.end_ns // EXPORT_EVERY_NS, []).append(row)
    for window, members in windows.items():
        request = ExportLogsServiceRequest()
        scopes: dict[Emitter, ScopeLogs] = {}
        for row in members:
            if row.emitter not in scopes:
                resource_logs = request.resource_logs.add(resource=_resource(row.emitter))
                scopes[row.emitter] = resource_logs.scope_logs.add()
            scopes[row.emitter].log_records.append(_record(row))
        yield Envelope((window + 1) * EXPORT_EVERY_NS, "/v1/logs", request.SerializeToString())


def _request(rows: Sequence[SpanRow], trace_state: str) -> bytes:
    request = ExportTraceServiceRequest()
    scopes: dict[Emitter, ScopeSpans] = {}
    for row in rows:
        if row.emitter not in scopes:
            resource_spans = request.resource_spans.add(resource=_resource(row.emitter))
            scopes[row.emitter] = resource_spans.scope_spans.add()
        _add(scopes[row.emitter], row, trace_state)
    return request.SerializeToString()


def _add(scope: ScopeSpans, row: SpanRow, trace_state: str) -> None:
    span = scope.spans.add(
        trace_id=row.trace_id,
        span_id=row.span_id,
        parent_span_id=row.parent_id,
        name=row.operation,
        kind=row.kind,
        start_time_unix_nano=row.start_ns,
        end_time_unix_nano=row.end_ns,
        trace_state=trace_state,
        attributes=[_attribute(*pair) for pair in row.attributes],
    )
    if row.failed:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR))
    for key, variant in row.flags:
        span.events.add(name="feature_flag.evaluation", time_unix_nano=row.start_ns, attributes=_flag(key, variant))
    if row.link is not None:
        span.links.add(trace_id=row.link[0], span_id=row.link[1])


def _record(row: SpanRow) -> LogRecord:
    return LogRecord(
        time_unix_nano=row.end_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_ERROR,
        body=AnyValue(string_value="request failed"),
        trace_id=row.trace_id,
        span_id=row.span_id,
    )


@lru_cache(4096)
def _resource(emitter: Emitter) -> Resource:
    pairs: list[Attribute] = [
        (names.SERVICE_NAME, emitter.service),
        (names.SERVICE_INSTANCE_ID, emitter.instance),
        (names.ENVIRONMENT, ENVIRONMENT),
    ]
    if emitter.version:
        pairs.append((names.SERVICE_VERSION, emitter.version))
    return Resource(attributes=[_attribute(*pair) for pair in pairs])


@lru_cache(16_384)
def _attribute(key: str, value: str | bool | tuple[str, ...]) -> KeyValue:
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, tuple):
        texts = [AnyValue(string_value=text) for text in value]
        return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=texts)))
    return KeyValue(key=key, value=AnyValue(string_value=value))


@lru_cache(4096)
def _flag(key: str, variant: str) -> tuple[KeyValue, ...]:
    return (
        _attribute("feature_flag.key", key),
        _attribute("feature_flag.provider.name", "switches"),
        _attribute("feature_flag.result.variant", variant),
    )


SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
PRODUCER, CONSUMER = Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER
