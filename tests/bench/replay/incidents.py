"""Incidents as they are replayed: what was seen, what had changed, and which change was guilty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


class SpanRow(NamedTuple):
    """One span as published; an id is raw bytes, and ``parent_id`` of a root is empty."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    service: str
    instance: str
    operation: str
    start_ns: int
    duration_ns: int
    status: Status.StatusCode.ValueType = Status.STATUS_CODE_UNSET
    message: str = ""
    """Description of the status."""
    attributes: tuple[tuple[str, str | int], ...] = ()


class LogRow(NamedTuple):
    """One log line; ``trace_id`` and ``span_id`` are empty where the set has none."""

    at_ns: int
    service: str
    instance: str
    severity: str
    body: str
    trace_id: bytes
    span_id: bytes


class Telemetry(NamedTuple):
    """All that was seen around one incident."""

    spans: Sequence[SpanRow]
    logs: Sequence[LogRow]


class LineageEdge(NamedTuple):
    """``source`` is ``trained_into`` a model or ``served_by`` a service."""

    source: str
    relation: str
    target: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change that may have caused the incident; ``node`` is ``model:...``, ``dataset:...`` or a service's name."""

    change_id: str
    kind: str
    node: str
    at_ns: int
    from_version: str | None
    to_version: str | None


@dataclass(frozen=True, slots=True)
class Truth:
    """Which change is guilty (None: none that was recorded), where it struck, and how."""

    change_id: str | None
    service: str
    fault: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident to replay. ``group`` is the application it happened in; figures are given for each."""

    case_id: str
    group: str
    entry: str
    detected_ns: int
    candidates: tuple[Candidate, ...]
    lineage: tuple[LineageEdge, ...]
    truth: Truth


class IncidentSet(Protocol):
    """A published set of incidents."""

    @property
    def incidents(self) -> Sequence[Incident]:
        """All of them, in the order they are published."""

    def telemetry(self, incident: Incident) -> Telemetry:
        """What was seen around one of them."""


def span_kinds(spans: Sequence[SpanRow]) -> list[Span.SpanKind.ValueType]:
    """Kind of each span, told from who calls whom.

    A span under no span, or under another service's, is a server's; one above another service's is a client's.
    """
    service_of = {(span.trace_id, span.span_id): span.service for span in spans}
    calls_out = set(_parents_in_other_services(spans, service_of))
    return [
        Span.SPAN_KIND_SERVER
        if service_of.get((span.trace_id, span.parent_id)) != span.service
        else Span.SPAN_KIND_CLIENT
        if (span.trace_id, span.span_id) in calls_out
        else Span.SPAN_KIND_INTERNAL
        for span in spans
    ]


def _parents_in_other_services(
    spans: Sequence[SpanRow], service_of: dict[tuple[bytes, bytes], str]
) -> Iterable[tuple[bytes, bytes]]:
    for span in spans:
        parent = (span.trace_id, span.parent_id)
        if service_of.get(parent, span.service) != span.service:
            yield parent
