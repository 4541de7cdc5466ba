"""Export requests of spans in JSON. Rare in production, so written for clarity; the rules are those of protobuf."""

from __future__ import annotations

from whence.model.spans import Source, Span, SpanKind
from whence.otlp import json_requests as wire
from whence.otlp.attributes import Stated
from whence.otlp.batches import MAX_FUTURE_NS, UNKNOWN_SERVICE, DecodeLimits, Findings, TraceBatch
from whence.otlp.flags import FLAG_EVENTS
from whence.otlp.json_requests import hex_id, integer, member, stated_in, wanted_attributes
from whence.otlp.spans import MAX_NAME_CHARS, NO_SPAN, STATUS_ERROR, Memory, fault_of

_KINDS = {f"SPAN_KIND_{name}": number for name, number in vars(SpanKind).items() if isinstance(number, int)}
_STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": STATUS_ERROR}


def decode_traces_json(body: bytes, memory: Memory, limits: DecodeLimits, now_ns: int) -> TraceBatch:
    """See ``decode.decode_traces``."""
    findings = Findings()
    blocks = wire.read_request(body, wire.TracesRequest, findings).resource_spans or []
    limits.check_records(sum(len(scope.spans or ()) for block in blocks for scope in block.scope_spans or ()))
    spans: list[Span] = []
    for block in blocks:
        stated = stated_in(block.resource.attributes if block.resource else None, memory.resource_words)
        source, warnings = memory.resources.source(stated)
        findings.warned.update(warnings)
        for scope in block.scope_spans or ():
            if source is None:
                findings.rejected[UNKNOWN_SERVICE] += len(scope.spans or ())
                continue
            reader = _Reader(source, memory, findings, now_ns + MAX_FUTURE_NS)
            spans.extend(filter(None, map(reader.span, scope.spans or ())))
    return TraceBatch(spans, findings.rejections(), findings.warnings())


class _Reader:
    def __init__(self, source: Source, memory: Memory, findings: Findings, latest_ns: int) -> None:
        self._source = source
        self._memory = memory
        self._findings = findings
        self._latest_ns = latest_ns

    def span(self, raw: wire.Span) -> Span | None:
        """A span, or None when it was refused."""
        ids = hex_id(raw.trace_id), hex_id(raw.span_id), hex_id(raw.parent_span_id)
        start_ns, end_ns = integer(raw.start_time_unix_nano), integer(raw.end_time_unix_nano)
        fault = fault_of(ids, start_ns, end_ns, self._latest_ns)
        if fault:
            self._findings.rejected[fault] += 1
            return None
        kind = member(raw.kind, _KINDS, self._findings)
        name = (raw.name or "")[:MAX_NAME_CHARS]
        attributes = self._memory.with_flags(
            wanted_attributes(raw.attributes, self._memory.span_words), self._flags(raw)
        )
        facts, remark = self._memory.facts[kind, attributes]
        if remark is not None:
            facts = self._memory.remarked(kind, attributes, name, remark, self._findings) or facts
        code = member(raw.status.code, _STATUS_CODES, self._findings) if raw.status else 0
        return Span(
            trace_id=ids[0],
            span_id=ids[1],
            parent_id=b"" if ids[2] == NO_SPAN else ids[2],
            kind=kind,
            operation=facts.operation or name,
            start_ns=start_ns,
            end_ns=max(start_ns, end_ns),
            is_error=code == STATUS_ERROR,
            weight=self._memory.weights[(raw.trace_state or "").encode()],
            source=self._source,
            facts=facts,
            links=_links(raw.links) if kind == SpanKind.CONSUMER else (),
        )

    def _flags(self, raw: wire.Span) -> list[Stated]:
        words = self._memory.flag_words
        return [stated_in(event.attributes, words) for event in raw.events or () if event.name in FLAG_EVENTS]


def _links(links: list[wire.Link] | None) -> tuple[tuple[bytes, bytes], ...]:
    ids = ((hex_id(link.trace_id), hex_id(link.span_id)) for link in links or ())
    return tuple((trace_id, span_id) for trace_id, span_id in ids if len(trace_id) == 16 and len(span_id) == 8)
