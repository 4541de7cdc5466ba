"""Export requests of spans in protobuf.

This is the hot path: one pass, no objects beside the spans themselves. Every field of a span is read once, everything
that repeats is looked up by its bytes (see ``spans.Memory``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from whence.model.spans import Source, Span, SpanKind
from whence.otlp import schema
from whence.otlp.attributes import Stated, parse, text_of
from whence.otlp.batches import MAX_FUTURE_NS, UNKNOWN_SERVICE, DecodeLimits, Findings, TraceBatch
from whence.otlp.flags import FLAG_EVENTS
from whence.otlp.spans import NO_SPAN, NO_TRACE, Memory, fault_of


def decode_traces_protobuf(body: bytes, memory: Memory, limits: DecodeLimits, now_ns: int) -> TraceBatch:
    """See ``decode.decode_traces``."""
    blocks = parse(schema.TracesRequest, body).resource_spans
    limits.check_records(sum(len(scope.spans) for block in blocks for scope in block.scope_spans))
    reader = _Reader(memory, now_ns + MAX_FUTURE_NS, has_flags=b"feature_flag" in body)
    for block in blocks:
        source, warnings = memory.sources[block.resource]
        reader.findings.warned.update(warnings)
        for scope in block.scope_spans:
            if source is None:
                reader.findings.rejected[UNKNOWN_SERVICE] += len(scope.spans)
            else:
                reader.read(scope.spans, source)
    return TraceBatch(reader.spans, reader.findings.rejections(), reader.findings.warnings())


class _Reader:
    def __init__(self, memory: Memory, latest_ns: int, *, has_flags: bool) -> None:
        self.spans: list[Span] = []
        self.findings = Findings()
        self._memory = memory
        self._latest_ns = latest_ns
        self._has_flags = has_flags

    def read(self, raw_spans: Any, source: Source) -> None:
        """Append the spans of one scope. Locals instead of attributes, tuples instead of calls: this runs per span."""
        memory, latest_ns, keep = self._memory, self._latest_ns, self.spans.append
        attribute, facts_of = memory.attributes.__getitem__, memory.facts
        names, errors, weights = memory.names, memory.errors, memory.weights
        new, cls, consumer, has_flags = tuple.__new__, Span, SpanKind.CONSUMER, self._has_flags
        for raw in raw_spans:
            trace_id, span_id, parent_id = raw.trace_id, raw.span_id, raw.parent_span_id
            start_ns, end_ns, kind = raw.start_time_unix_nano, raw.end_time_unix_nano, raw.kind
            if (
                not 0 < start_ns <= end_ns <= latest_ns
                or trace_id == NO_TRACE
                or span_id == NO_SPAN
                or len(trace_id) != 16
                or len(span_id) != 8
                or (parent_id and (len(parent_id) != 8 or parent_id == NO_SPAN))
            ):
                fault = fault_of((trace_id, span_id, parent_id), start_ns, end_ns, latest_ns)
                if fault:
                    self.findings.rejected[fault] += 1
                    continue
                end_ns = max(start_ns, end_ns)
                parent_id = b"" if parent_id == NO_SPAN else parent_id
            attributes = tuple(filter(None, map(attribute, raw.attributes[:])))
            if has_flags:
                attributes = memory.with_flags(attributes, flag_evaluations(memory, raw.events))
            facts, remark = facts_of[kind, attributes]
            if remark is not None:
                facts = memory.remarked(kind, attributes, names[raw.name], remark, self.findings) or facts
            status, trace_state = raw.status, raw.trace_state
            keep(
                new(
                    cls,
                    (
                        trace_id,
                        span_id,
                        parent_id,
                        kind,
                        facts.operation or names[raw.name],
                        start_ns,
                        end_ns,
                        errors[status] if status else False,
                        weights[trace_state] if trace_state else 1.0,
                        source,
                        facts,
                        _links(raw.links) if kind == consumer else (),
                    ),
                )
            )


def flag_evaluations(memory: Memory, raw_events: Iterable[bytes]) -> list[Stated]:
    """What the evaluations of flags among the events of a span state.

    Raises:
        DecodeError: One that looks like an evaluation is malformed.
    """
    likely = [raw for raw in raw_events if b"feature_flag" in raw]
    events = [event for event in (parse(schema.Event, raw) for raw in likely) if text_of(event.name) in FLAG_EVENTS]
    known = memory.flag_attributes
    return [Stated(tuple(filter(None, map(known.__getitem__, event.attributes)))) for event in events]


def _links(raw_links: Any) -> tuple[tuple[bytes, bytes], ...]:
    links = (parse(schema.Link, raw) for raw in raw_links)
    return tuple((link.trace_id, link.span_id) for link in links if len(link.trace_id) == 16 and len(link.span_id) == 8)
