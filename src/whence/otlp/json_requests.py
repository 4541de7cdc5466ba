"""Requests in OTLP/JSON as typed structs.

Read as the specification says (ids in hex of either case, 64-bit numbers as text or number, unknown fields ignored),
and as senders write: names of enum members and ``snake_case`` keys are taken too, and counted. An attribute's value
stays unparsed until somebody wants its key.
"""

from __future__ import annotations

import re
from binascii import Error as HexError
from binascii import unhexlify
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from whence.errors import DecodeError
from whence.otlp.attributes import Attribute, Stated, Vocabulary
from whence.otlp.batches import Findings

ENUM_NAME = "json_enum_name"
SNAKE_CASE_KEY = "json_snake_case_key"

# fmt: off
_SNAKE_KEYS = (
    "any_value", "array_value", "bool_value", "bytes_value", "double_value", "dropped_attributes_count",
    "end_time_unix_nano", "event_name", "int_value", "kvlist_value", "log_records", "observed_time_unix_nano",
    "parent_span_id", "resource_logs", "resource_spans", "scope_logs", "scope_spans", "severity_number",
    "severity_text", "span_id", "start_time_unix_nano", "string_value", "time_unix_nano", "trace_id", "trace_state",
)
# fmt: on
_CAMEL_OF = {key: re.sub(r"_(\w)", lambda match: match[1].upper(), key) for key in _SNAKE_KEYS}
_ANY_SNAKE_KEY = re.compile(rb'"(?:' + b"|".join(key.encode() for key in _SNAKE_KEYS) + rb')"\s*:')


class _Json(msgspec.Struct, rename="camel", gc=False):
    """Base of all: camelCase on the wire, ``null`` allowed for anything."""


class KeyValue(_Json):
    """One attribute."""

    key: str = ""
    value: msgspec.Raw = msgspec.Raw(b"null")


class Resource(_Json):
    """What sent the records."""

    attributes: list[KeyValue] | None = None


class Event(_Json):
    """Something that happened during a span."""

    name: str | None = None
    attributes: list[KeyValue] | None = None


class Link(_Json):
    """Another span that this one has to do with."""

    trace_id: str | None = None
    span_id: str | None = None


class Status(_Json):
    """How a span ended."""

    code: int | str | None = None


class Span(_Json):
    """One span."""

    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    trace_state: str | None = None
    name: str | None = None
    kind: int | str | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    attributes: list[KeyValue] | None = None
    events: list[Event] | None = None
    links: list[Link] | None = None
    status: Status | None = None


class ScopeSpans(_Json):
    """Spans of one instrumentation."""

    spans: list[Span] | None = None


class ResourceSpans(_Json):
    """Spans of one resource."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class TracesRequest(_Json):
    """``ExportTraceServiceRequest``."""

    resource_spans: list[ResourceSpans] | None = None


class LogRecord(_Json):
    """One log record."""

    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    severity_number: int | str | None = None
    severity_text: str | None = None
    event_name: str | None = None
    attributes: list[KeyValue] | None = None


class ScopeLogs(_Json):
    """Log records of one instrumentation."""

    log_records: list[LogRecord] | None = None


class ResourceLogs(_Json):
    """Log records of one resource."""

    resource: Resource | None = None
    scope_logs: list[ScopeLogs] | None = None


class LogsRequest(_Json):
    """``ExportLogsServiceRequest``."""

    resource_logs: list[ResourceLogs] | None = None


class NumberPoint(_Json):
    """One value of a sum."""

    start_time_unix_nano: int | str | None = None
    time_unix_nano: int | str | None = None
    as_double: float | str | None = None
    as_int: int | str | None = None
    attributes: list[KeyValue] | None = None


class Sum(_Json):
    """A metric that adds up."""

    data_points: list[NumberPoint] | None = None
    aggregation_temporality: int | str | None = None


class Metric(_Json):
    """One metric; of other kinds than sums only the name is read."""

    name: str | None = None
    sum: Sum | None = None


class ScopeMetrics(_Json):
    """Metrics of one instrumentation."""

    metrics: list[Metric] | None = None


class ResourceMetrics(_Json):
    """Metrics of one resource."""

    resource: Resource | None = None
    scope_metrics: list[ScopeMetrics] | None = None


class MetricsRequest(_Json):
    """``ExportMetricsServiceRequest``."""

    resource_metrics: list[ResourceMetrics] | None = None


class AnyValue(_Json):
    """The value of an attribute; at most one field is set. Bytes are of no use to us."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None


class ArrayValue(_Json):
    """A list."""

    values: list[AnyValue | None] | None = None


class KeyValueList(_Json):
    """A map."""

    values: list[NestedKeyValue] | None = None


class NestedKeyValue(_Json):
    """One entry of a map."""

    key: str = ""
    value: AnyValue | None = None


R = TypeVar("R", TracesRequest, LogsRequest, MetricsRequest)


def read_request(body: bytes, request: type[R], findings: Findings) -> R:
    """A request.

    Raises:
        DecodeError: It is not JSON, or a field has the wrong type.
    """
    try:
        if _ANY_SNAKE_KEY.search(body):
            body = msgspec.json.encode(_in_camel_case(msgspec.json.decode(body), findings))
        return msgspec.json.decode(body, type=request)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(f"not valid OTLP/JSON: {error}") from None


def _in_camel_case(value: Any, findings: Findings) -> Any:
    """The same JSON with known snake_case keys renamed, each counted; an attribute's name is no key and stays."""
    if isinstance(value, list):
        return [_in_camel_case(item, findings) for item in value]
    if not isinstance(value, dict):
        return value
    findings.warned[SNAKE_CASE_KEY] += sum(key in _CAMEL_OF for key in value)
    return {_CAMEL_OF.get(key, key): _in_camel_case(item, findings) for key, item in value.items()}


def hex_id(text: str | None) -> bytes:
    """The bytes of an id; empty for none.

    Raises:
        DecodeError: It is not hex (base64, as plain protobuf JSON would have it, is wrong here).
    """
    try:
        return unhexlify(text or "")
    except (HexError, ValueError):
        raise DecodeError(f"ids must be hex, got {(text or '')[:40]!r}") from None


def integer(value: int | str | None) -> int:
    """A number that may be written as text; 0 for none.

    Raises:
        DecodeError: It is no number.
    """
    try:
        return int(value or 0)
    except ValueError:
        raise DecodeError(f"expected a number, got {str(value)[:40]!r}") from None


def member(value: int | str | None, members: Mapping[str, int], findings: Findings) -> int:
    """The number of an enum member; a known name is taken and counted.

    Raises:
        DecodeError: It is neither a number nor a known name.
    """
    if isinstance(value, str) and value in members:
        findings.warned[ENUM_NAME] += 1
        return members[value]
    return integer(value)


def wanted_attributes(pairs: list[KeyValue] | None, words: Vocabulary) -> tuple[Attribute, ...]:
    """The attributes that are read, in order."""
    found = (words.attribute(pair.key, plain_json(pair.value)) for pair in pairs or () if words.wants(pair.key))
    return tuple(filter(None, found))


def stated_in(pairs: list[KeyValue] | None, words: Vocabulary) -> Stated:
    """The same by name."""
    return Stated(wanted_attributes(pairs, words))


def plain_json(raw: msgspec.Raw) -> object:
    """An ``AnyValue`` as ``attributes.plain_value`` gives it.

    Raises:
        DecodeError: It has another shape.
    """
    try:
        return _plain(msgspec.json.decode(raw, type=AnyValue | None))
    except (msgspec.DecodeError, RecursionError) as error:
        raise DecodeError(f"not a valid attribute value: {error}") from None


def _plain(value: AnyValue | None) -> object:
    if value is None:
        return None
    if value.array_value is not None:
        return [_plain(item) for item in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values or ()}
    if value.int_value is not None:
        return integer(value.int_value)
    if isinstance(value.double_value, str):
        return _double(value.double_value)
    return next((v for v in (value.string_value, value.bool_value, value.double_value) if v is not None), None)


def _double(text: str) -> float | str:
    """A number that JSON can't write (``Infinity``, ``NaN``) or that came as text; what is none stays text."""
    try:
        return float(text)
    except ValueError:
        return text
