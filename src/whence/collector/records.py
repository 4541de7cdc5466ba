"""Requests as spool records and back: the kind byte holds signal, encoding and compression."""

from __future__ import annotations

from whence.collector.engine import Request, Signal
from whence.collector.spool import Record
from whence.otlp import Encoding

_GZIP = 0x40
_JSON = 0x20


def to_record(request: Request, time_ns: int) -> Record:
    """The body is kept as it came in, compressed or not."""
    kind = request.signal | (_GZIP if request.is_gzip else 0) | (_JSON if request.encoding is Encoding.JSON else 0)
    return Record(kind, time_ns, request.body)


def to_request(record: Record) -> Request:
    """Inverse of ``to_record``."""
    return Request(
        signal=Signal(record.kind & 0x1F),
        encoding=Encoding.JSON if record.kind & _JSON else Encoding.PROTOBUF,
        is_gzip=bool(record.kind & _GZIP),
        body=record.body,
    )
