"""OTLP requests for tests over the wire, built with the published protobuf classes."""

from __future__ import annotations

import secrets
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


def traces(*resources: ResourceSpans) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(resource_spans=resources)


def resource(service: str | None, version: str | None = None, **attributes: str) -> ResourceSpans:
    """A resource without spans; add them with ``add_span``."""
    block = ResourceSpans()
    named = {"service.name": service, "service.version": version}
    for key, value in {**named, **{name.replace("__", "."): value for name, value in attributes.items()}}.items():
        if value is not None:
            block.resource.attributes.add(key=key).value.string_value = value
    block.scope_spans.add()
    return block


def add_span(
    block: ResourceSpans,
    name: str = "GET /",
    *,
    trace_id: bytes | None = None,
    span_id: bytes | None = None,
    parent_id: bytes = b"",
    start_ns: int | None = None,
    millis: float = 5,
) -> bytes:
    """Add one server span that began a moment ago; returns its id."""
    start = time.time_ns() - 1_000_000_000 if start_ns is None else start_ns
    span_id = secrets.token_bytes(8) if span_id is None else span_id
    block.scope_spans[0].spans.add(
        trace_id=secrets.token_bytes(16) if trace_id is None else trace_id,
        span_id=span_id,
        parent_span_id=parent_id,
        name=name,
        kind=2,
        start_time_unix_nano=start,
        end_time_unix_nano=start + round(millis * 1e6),
    )
    return span_id


def some_spans(service: str, count: int) -> bytes:
    """A request of ``count`` one-span traces of one service."""
    block = resource(service)
    for _ in range(count):
        add_span(block)
    return traces(block).SerializeToString()
