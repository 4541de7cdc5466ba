"""The entry points: bytes of a request in, spans or facts of log records and metrics out.

What was seen before is remembered for the life of the process, bounded, and changes no result; so all functions are
pure to their callers, and fast.
"""

from __future__ import annotations

from whence.otlp import service_graph
from whence.otlp.batches import DecodeLimits, Encoding, LogBatch, TraceBatch
from whence.otlp.logs import decode_logs_json, decode_logs_protobuf
from whence.otlp.service_graph import MetricBatch
from whence.otlp.spans import Memory
from whence.otlp.traces import decode_traces_protobuf
from whence.otlp.traces_json import decode_traces_json

_memory = Memory()


def decode_traces(body: bytes, encoding: Encoding, *, limits: DecodeLimits, now_ns: int) -> TraceBatch:
    """Read an ``ExportTraceServiceRequest``. Spans that can't be used are counted by reason, the others are kept.

    Only attributes on the allow-list leave this function, and of URLs only host and port.

    Args:
        body: Not compressed.
        encoding: How it is written.
        limits: Bounds of the request.
        now_ns: UTC nanoseconds; spans more than a day ahead of it are refused.

    Raises:
        DecodeError: Malformed; nothing of it can be used.
        LimitExceeded: Too large.
    """
    limits.check_body(len(body))
    decode = decode_traces_json if encoding is Encoding.JSON else decode_traces_protobuf
    return decode(body, _memory, limits, now_ns)


def decode_metrics(body: bytes, encoding: Encoding, *, limits: DecodeLimits, now_ns: int) -> MetricBatch:
    """Read the calls in an ``ExportMetricsServiceRequest``; arguments and errors as in ``decode_traces``."""
    limits.check_body(len(body))
    return service_graph.decode_metrics(body, encoding, _memory, limits, now_ns)


def decode_logs(body: bytes, encoding: Encoding, *, limits: DecodeLimits, now_ns: int) -> LogBatch:
    """Read an ``ExportLogsServiceRequest``; arguments and errors as in ``decode_traces``.

    A record without any time counts as of ``now_ns``.
    """
    limits.check_body(len(body))
    decode = decode_logs_json if encoding is Encoding.JSON else decode_logs_protobuf
    return decode(body, _memory, limits, now_ns)
