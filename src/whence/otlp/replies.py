"""Answers to exporters, in the encoding of their request."""

from __future__ import annotations

import msgspec

from whence.model.spans import Rejections
from whence.otlp import schema
from whence.otlp.batches import Encoding

_RETRY_INFO_URL = "type.googleapis.com/google.rpc.RetryInfo"
_REJECTED_FIELDS = {"TRACES": "rejectedSpans", "LOGS": "rejectedLogRecords", "METRICS": "rejectedDataPoints"}


def encode_success(signal: str, rejections: Rejections, encoding: Encoding) -> bytes:
    """The export response of a signal: empty on full success, else how many records were rejected and why."""
    if not rejections.total:
        return b"{}" if encoding is Encoding.JSON else b""
    message = "rejected " + ", ".join(f"{count} {reason}" for reason, count in rejections.counts)
    if encoding is Encoding.JSON:
        partial = {_REJECTED_FIELDS[signal]: str(rejections.total), "errorMessage": message}
        return msgspec.json.encode({"partialSuccess": partial})
    response = schema.Export()  # the three signals' responses have the same fields
    response.partial_success.rejected = rejections.total
    response.partial_success.error_message = message
    return _bytes(response)


def encode_status(code: int, message: str, encoding: Encoding, *, retry_after_seconds: int | None = None) -> bytes:
    """A ``google.rpc.Status``, with ``RetryInfo`` when the client should try again."""
    if encoding is Encoding.JSON:
        status: dict[str, object] = {"code": code, "message": message}
        if retry_after_seconds is not None:
            status["details"] = [{"@type": _RETRY_INFO_URL, "retryDelay": f"{retry_after_seconds}s"}]
        return msgspec.json.encode(status)
    response = schema.RpcStatus(code=code, message=message)
    if retry_after_seconds is not None:
        response.details.add(type_url=_RETRY_INFO_URL, value=encode_retry_info(retry_after_seconds))
    return _bytes(response)


def encode_retry_info(seconds: int) -> bytes:
    """A ``google.rpc.RetryInfo`` in protobuf."""
    info = schema.RetryInfo()
    info.retry_delay.seconds = seconds
    return _bytes(info)


def _bytes(message: object) -> bytes:
    data: bytes = message.SerializeToString()  # type: ignore[attr-defined]
    return data
