"""Builders of spans: name what matters in a test, the rest is filled in."""

from __future__ import annotations

from collections.abc import Mapping

from whence.model.refs import service_ref
from whence.model.spans import NO_FACTS, Facts, Source, Span, SpanKind

NAMESPACE = "shop"
START_NS = 1_795_000_005_000_000_000
"""Where a bucket of 15 seconds begins."""
MILLISECOND_NS = 1_000_000


def source(
    service: str = "cart",
    version: str | None = "v1",
    environment: str = "production",
    *,
    attributes: Mapping[str, str] | None = None,
    models: tuple[str, ...] = (),
    inputs: tuple[str, ...] = (),
) -> Source:
    """A version of a service of the namespace ``shop``; None as version gives one that states none."""
    ref = service_ref(NAMESPACE, service)
    return Source(
        service=str(ref),
        version=str(ref.at("version", version)) if version else str(ref),
        environment=environment,
        attributes=tuple(sorted((attributes or {}).items())),
        models=models,
        inputs=inputs,
    )


def span(
    span_id: int = 1,
    parent: int | Span | None = None,
    *,
    trace: int = 1,
    service: str | Source = "cart",
    version: str | None = "v1",
    kind: int = SpanKind.SERVER,
    operation: str = "GET /",
    at_ms: float = 0,
    millis: float = 10,
    error: bool = False,
    weight: float = 1.0,
    facts: Facts = NO_FACTS,
) -> Span:
    """One span that starts ``at_ms`` after ``START_NS`` and takes ``millis``. Ids and traces are small numbers."""
    parent_id = parent.span_id if isinstance(parent, Span) else span_key(parent) if parent else b""
    start_ns = START_NS + round(at_ms * MILLISECOND_NS)
    return Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=span_key(span_id),
        parent_id=parent_id,
        kind=kind,
        operation=operation,
        start_ns=start_ns,
        end_ns=start_ns + round(millis * MILLISECOND_NS),
        is_error=error,
        weight=weight,
        source=service if isinstance(service, Source) else source(service, version),
        facts=facts,
    )


def span_key(number: int) -> bytes:
    """The id of the span that is called by a number."""
    return number.to_bytes(8, "big")
