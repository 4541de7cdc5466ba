"""OTLP requests from spans and log lines: mixed services, at most 500 rows each, in the order in which they ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from tests.bench.replay.incidents import LogRow, SpanRow, span_kinds
from whence.model import names

BATCH = 500
TRAINING_NS = 60_000_000_000
_SEVERITY = {
    "DEBUG": SeverityNumber.SEVERITY_NUMBER_DEBUG,
    "INFO": SeverityNumber.SEVERITY_NUMBER_INFO,
    "WARN": SeverityNumber.SEVERITY_NUMBER_WARN,
    "ERROR": SeverityNumber.SEVERITY_NUMBER_ERROR,
}
Row = TypeVar("Row")


def trace_requests(spans: Sequence[SpanRow], models: Mapping[str, Sequence[str]]) -> Iterator[bytes]:
    """Serialised requests. Where a service enters (its server spans) it names the models that it uses.

    Args:
        spans: Any order; sent by end time.
        models: References of the models that a service serves, by the service's name.
    """
    serving = {service: _list_attribute(names.MODELS, refs) for service, refs in models.items()}
    rows = sorted(zip(spans, span_kinds(spans), strict=True), key=lambda row: row[0].start_ns + row[0].duration_ns)
    for batch in _batches(rows):
        request = ExportTraceServiceRequest()
        scopes: dict[tuple[str, str], ScopeSpans] = {}
        for row, kind in batch:
            emitter = (row.service, row.instance)
            scope = scopes.get(emitter)
            if scope is None:
                resource_spans = request.resource_spans.add(resource=_resource(*emitter))
                scope = scopes[emitter] = resource_spans.scope_spans.add()
            span = _add_span(scope, row, kind)
            if kind == Span.SPAN_KIND_SERVER and row.service in serving:
                span.attributes.append(serving[row.service])
        yield request.SerializeToString()


def log_requests(logs: Sequence[LogRow]) -> Iterator[bytes]:
    """Serialised requests, by time."""
    for batch in _batches(sorted(logs)):
        request = ExportLogsServiceRequest()
        scopes: dict[tuple[str, str], ScopeLogs] = {}
        for row in batch:
            emitter = (row.service, row.instance)
            scope = scopes.get(emitter)
            if scope is None:
                resource_logs = request.resource_logs.add(resource=_resource(*emitter))
                scope = scopes[emitter] = resource_logs.scope_logs.add()
            scope.log_records.append(_log_record(row))
        yield request.SerializeToString()


def training_request(job: str, at_ns: int, trace_id: bytes, dataset: str, model: str) -> bytes:
    """One serialised request with the span of a job that read a dataset and wrote a model at a time."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add(resource=_resource(job, job)).scope_spans.add()
    row = SpanRow(trace_id, trace_id[:8], b"", job, job, "train", at_ns, TRAINING_NS)
    span = _add_span(scope, row, Span.SPAN_KIND_INTERNAL)
    span.attributes.extend([_list_attribute(names.INPUTS, [dataset]), _list_attribute(names.OUTPUTS, [model])])
    return request.SerializeToString()


def _batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _add_span(scope: ScopeSpans, row: SpanRow, kind: Span.SpanKind.ValueType) -> Span:
    span = scope.spans.add(
        trace_id=row.trace_id,
        span_id=row.span_id,
        parent_span_id=row.parent_id,
        name=row.operation,
        kind=kind,
        start_time_unix_nano=row.start_ns,
        end_time_unix_nano=row.start_ns + row.duration_ns,
    )
    if row.status or row.message:
        span.status.CopyFrom(Status(code=row.status, message=row.message))
    for key, value in row.attributes:
        span.attributes.append(KeyValue(key=key, value=_any_value(value)))
    return span


def _log_record(row: LogRow) -> LogRecord:
    return LogRecord(
        time_unix_nano=row.at_ns,
        observed_time_unix_nano=row.at_ns,
        severity_number=_SEVERITY[row.severity],
        severity_text=row.severity,
        body=AnyValue(string_value=row.body),
        trace_id=row.trace_id,
        span_id=row.span_id,
    )


def _resource(service: str, instance: str) -> Resource:
    texts = {names.SERVICE_NAME: service, names.SERVICE_INSTANCE_ID: instance}
    return Resource(attributes=[KeyValue(key=key, value=_any_value(text)) for key, text in texts.items()])


def _list_attribute(key: str, texts: Sequence[str]) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=[_any_value(text) for text in texts])))


def _any_value(value: str | int) -> AnyValue:
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)
