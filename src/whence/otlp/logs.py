"""Export requests of log records, in either encoding: errors are counted, entity and flag events become relations.

Bodies and all other attributes of log records are never looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from whence.model.delta import RelationKey
from whence.model.kinds import EntityKind, RelationType
from whence.model.spans import ErrorLog, Source
from whence.otlp import json_requests as wire
from whence.otlp import schema
from whence.otlp.attributes import Stated, Vocabulary, parse, plain_value, text_of
from whence.otlp.batches import BAD_TIME, MAX_FUTURE_NS, UNKNOWN_SERVICE, DecodeLimits, Findings, LogBatch
from whence.otlp.entity_events import ENTITY_KEYS, ENTITY_STATE, DeltaBuilder, add_entity_state
from whence.otlp.flags import FLAG_EVENTS, flag_key
from whence.otlp.json_requests import integer, member, plain_json, stated_in
from whence.otlp.spans import Memory

_SEVERITY_ERROR = 17
_ERROR_TEXTS = frozenset({"ERROR", "FATAL", "CRITICAL", "EMERGENCY", "ALERT"})
_SEVERITIES = {
    f"SEVERITY_NUMBER_{name}{repeat or ''}": first + max(repeat - 1, 0)
    for name, first in {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}.items()
    for repeat in (0, 2, 3, 4)
}
_SEVERITIES["SEVERITY_NUMBER_UNSPECIFIED"] = 0


class _Record(NamedTuple):
    """A log record of either encoding; ``attributes`` gives those with some keys, parsed only then."""

    time_ns: int
    severity: int
    severity_text: str
    event_name: str
    attributes: Callable[[frozenset[str]], dict[str, object]]


def decode_logs_protobuf(body: bytes, memory: Memory, limits: DecodeLimits, now_ns: int) -> LogBatch:
    """See ``decode.decode_logs``."""
    blocks = parse(schema.LogsRequest, body).resource_logs
    limits.check_records(sum(len(scope.log_records) for block in blocks for scope in block.scope_logs))
    reader = _Reader(memory, now_ns, Findings())
    for block in blocks:
        source, warnings = memory.sources[block.resource]
        reader.findings.warned.update(warnings)
        for scope in block.scope_logs:
            reader.read(source, map(_from_protobuf, scope.log_records))
    return reader.batch()


def decode_logs_json(body: bytes, memory: Memory, limits: DecodeLimits, now_ns: int) -> LogBatch:
    """See ``decode.decode_logs``."""
    findings = Findings()
    blocks = wire.read_request(body, wire.LogsRequest, findings).resource_logs or []
    limits.check_records(sum(len(scope.log_records or ()) for block in blocks for scope in block.scope_logs or ()))
    reader = _Reader(memory, now_ns, findings)
    for block in blocks:
        stated = stated_in(block.resource.attributes if block.resource else None, memory.resource_words)
        source, warnings = memory.resources.source(stated)
        findings.warned.update(warnings)
        for scope in block.scope_logs or ():
            reader.read(source, (_from_json(raw, findings) for raw in scope.log_records or ()))
    return reader.batch()


class _Reader:
    def __init__(self, memory: Memory, now_ns: int, findings: Findings) -> None:
        self.findings = findings
        self._flag_words: Vocabulary = memory.flag_words
        self._now_ns = now_ns
        self._builder = DeltaBuilder(now_ns)
        self._error_logs: list[ErrorLog] = []
        self._accepted = 0

    def batch(self) -> LogBatch:
        """What was read."""
        return LogBatch(
            error_logs=self._error_logs,
            delta=self._builder.delta(),
            names=self._builder.names,
            calls=self._builder.calls,
            records=self._accepted,
            rejections=self.findings.rejections(),
            warnings=self.findings.warnings(),
        )

    def read(self, source: Source | None, records: Iterable[_Record]) -> None:
        """Take the records of one scope."""
        for record in records:
            fault = self._take(source, record)
            if fault is None:
                self._accepted += 1
            else:
                self.findings.rejected[fault] += 1

    def _take(self, source: Source | None, record: _Record) -> str | None:
        """Use a record; the reason when it can't be used."""
        time_ns = record.time_ns or self._now_ns
        if not 0 < time_ns <= self._now_ns + MAX_FUTURE_NS:
            return BAD_TIME
        if record.event_name == ENTITY_STATE:
            event = record.attributes(ENTITY_KEYS)
            is_known = add_entity_state(self._builder, event, source, time_ns, self.findings.warned)
            return None if is_known else UNKNOWN_SERVICE
        if source is None:
            return UNKNOWN_SERVICE
        if record.event_name in FLAG_EVENTS:
            self._add_flag(source, record, time_ns)
        elif record.severity >= _SEVERITY_ERROR or (not record.severity and record.severity_text in _ERROR_TEXTS):
            self._error_logs.append(ErrorLog(source, time_ns))
        return None

    def _add_flag(self, source: Source, record: _Record, time_ns: int) -> None:
        words = self._flag_words
        pairs = record.attributes(words.keys).items()
        key = flag_key(Stated(tuple(filter(None, (words.attribute(name, value) for name, value in pairs)))))
        if not key:
            return
        seen = (time_ns, time_ns)
        self._builder.see(source.version, EntityKind.SERVICE, source.environment, seen)
        self._builder.see(key, EntityKind.FLAG, source.environment, seen)
        self._builder.relate(
            RelationKey(source.version, RelationType.EVALUATES, key, source.environment), seen, time_ns
        )


def _from_protobuf(raw: Any) -> _Record:
    def attributes(keys: frozenset[str]) -> dict[str, object]:
        pairs = (parse(schema.KeyValue, pair) for pair in raw.attributes)
        return {text_of(pair.key): plain_value(pair.value) for pair in pairs if text_of(pair.key) in keys}

    return _Record(
        time_ns=raw.time_unix_nano or raw.observed_time_unix_nano,
        severity=raw.severity_number,
        severity_text=text_of(raw.severity_text).upper(),
        event_name=text_of(raw.event_name),
        attributes=attributes,
    )


def _from_json(raw: wire.LogRecord, findings: Findings) -> _Record:
    def attributes(keys: frozenset[str]) -> dict[str, object]:
        return {pair.key: plain_json(pair.value) for pair in raw.attributes or () if pair.key in keys}

    return _Record(
        time_ns=integer(raw.time_unix_nano) or integer(raw.observed_time_unix_nano),
        severity=member(raw.severity_number, _SEVERITIES, findings),
        severity_text=(raw.severity_text or "").upper(),
        event_name=raw.event_name or "",
        attributes=attributes,
    )
