"""Protobuf message classes for OTLP, leaner than the published ones.

Attributes, resources, events, links and statuses are declared ``bytes``. Their encoding on the wire is the same as that
of a message, so one C call yields them unparsed, and whoever wants one looks it up among the bytes seen before. Text is
``bytes`` too: some exporters send broken UTF-8, and one bad letter must not cost a whole request. Fields that nobody
reads are left out; the parser skips them.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "whence.otlp"
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _FIELD.TYPE_BYTES,
    "string": _FIELD.TYPE_STRING,
    "bool": _FIELD.TYPE_BOOL,
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "double": _FIELD.TYPE_DOUBLE,
    "fixed64": _FIELD.TYPE_FIXED64,
    "sfixed64": _FIELD.TYPE_SFIXED64,
}
_Fields = dict[str, tuple[int, str]]

_MESSAGES: dict[str, _Fields] = {
    "TracesRequest": {"resource_spans": (1, "*ResourceSpans")},
    "ResourceSpans": {"resource": (1, "bytes"), "scope_spans": (2, "*ScopeSpans")},
    "ScopeSpans": {"spans": (2, "*Span")},
    "Span": {
        "trace_id": (1, "bytes"),
        "span_id": (2, "bytes"),
        "trace_state": (3, "bytes"),
        "parent_span_id": (4, "bytes"),
        "name": (5, "bytes"),
        "kind": (6, "int32"),
        "start_time_unix_nano": (7, "fixed64"),
        "end_time_unix_nano": (8, "fixed64"),
        "attributes": (9, "*bytes"),
        "events": (11, "*bytes"),
        "links": (13, "*bytes"),
        "status": (15, "bytes"),
    },
    "Event": {"name": (2, "bytes"), "attributes": (3, "*bytes")},
    "Link": {"trace_id": (1, "bytes"), "span_id": (2, "bytes")},
    "Status": {"code": (3, "int32")},
    "LogsRequest": {"resource_logs": (1, "*ResourceLogs")},
    "ResourceLogs": {"resource": (1, "bytes"), "scope_logs": (2, "*ScopeLogs")},
    "ScopeLogs": {"log_records": (2, "*LogRecord")},
    "LogRecord": {
        "time_unix_nano": (1, "fixed64"),
        "severity_number": (2, "int32"),
        "severity_text": (3, "bytes"),
        "attributes": (6, "*bytes"),
        "observed_time_unix_nano": (11, "fixed64"),
        "event_name": (12, "bytes"),
    },
    "MetricsRequest": {"resource_metrics": (1, "*ResourceMetrics")},
    "ResourceMetrics": {"resource": (1, "bytes"), "scope_metrics": (2, "*ScopeMetrics")},
    "ScopeMetrics": {"metrics": (2, "*Metric")},
    "Metric": {"name": (1, "bytes"), "sum": (7, "Sum")},
    "Sum": {"data_points": (1, "*NumberPoint"), "aggregation_temporality": (2, "int32")},
    "NumberPoint": {
        "start_time_unix_nano": (2, "fixed64"),
        "time_unix_nano": (3, "fixed64"),
        "as_double": (4, "double"),
        "as_int": (6, "sfixed64"),
        "attributes": (7, "*bytes"),
    },
    "Resource": {"attributes": (1, "*bytes")},
    "KeyValue": {"key": (1, "bytes"), "value": (2, "AnyValue")},
    "ArrayValue": {"values": (1, "*AnyValue")},
    "KeyValueList": {"values": (1, "*KeyValue")},
    "Export": {"partial_success": (1, "PartialSuccess")},
    "PartialSuccess": {"rejected": (1, "int64"), "error_message": (2, "string")},
    "RpcStatus": {"code": (1, "int32"), "message": (2, "string"), "details": (3, "*Any")},
    "Any": {"type_url": (1, "string"), "value": (2, "bytes")},
    "RetryInfo": {"retry_delay": (1, "Duration")},
    "Duration": {"seconds": (1, "int64")},
}
_ANY_VALUE: _Fields = {
    "string_value": (1, "bytes"),
    "bool_value": (2, "bool"),
    "int_value": (3, "int64"),
    "double_value": (4, "double"),
    "array_value": (5, "ArrayValue"),
    "kvlist_value": (6, "KeyValueList"),
    "bytes_value": (7, "bytes"),
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="whence/otlp.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        _add_fields(file.message_type.add(name=name), fields)
    any_value = file.message_type.add(name="AnyValue")
    any_value.oneof_decl.add(name="value")
    _add_fields(any_value, _ANY_VALUE)
    for field in any_value.field:
        field.oneof_index = 0
    return file


def _add_fields(message: descriptor_pb2.DescriptorProto, fields: _Fields) -> None:
    for name, (number, spec) in fields.items():
        type_name = spec.removeprefix("*")
        label = _FIELD.LABEL_REPEATED if spec.startswith("*") else _FIELD.LABEL_OPTIONAL
        field = message.field.add(name=name, number=number, label=label)
        if type_name in _SCALARS:
            field.type = _SCALARS[type_name]
        else:
            field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".{_PACKAGE}.{type_name}"


_pool = descriptor_pool.DescriptorPool()  # of our own, so that it can't clash with the published messages
_pool.Add(_file())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


TracesRequest = _message("TracesRequest")
LogsRequest = _message("LogsRequest")
MetricsRequest = _message("MetricsRequest")
Resource = _message("Resource")
Event = _message("Event")
Link = _message("Link")
Status = _message("Status")
KeyValue = _message("KeyValue")
Export = _message("Export")
RpcStatus = _message("RpcStatus")
RetryInfo = _message("RetryInfo")
