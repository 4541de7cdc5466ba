"""The compiled reader of trace requests. Import it only where ``whence._native`` is there."""

from __future__ import annotations

from typing import NamedTuple

from whence import _native
from whence.errors import DecodeError
from whence.model.spans import Rejections
from whence.otlp.batches import (
    BAD_ID_LENGTH,
    BAD_TIME,
    MAX_FUTURE_NS,
    UNKNOWN_SERVICE,
    ZERO_SPAN_ID,
    ZERO_TRACE_ID,
    DecodeLimits,
    Findings,
)
from whence.otlp.resolver import Resolver
from whence.otlp.spans import Memory

_FAULTS = (UNKNOWN_SERVICE, ZERO_TRACE_ID, ZERO_SPAN_ID, BAD_ID_LENGTH, BAD_TIME)


class NativeTraces(NamedTuple):
    """The spans of one request as the compiled fold takes them; the rest as in ``TraceBatch``."""

    batch: _native.Batch
    rejections: Rejections
    warnings: tuple[tuple[str, int], ...]


class NativeReader:
    """Reads protobuf requests of spans. What it returns is what ``decode_traces`` returns."""

    def __init__(self) -> None:
        resolver = Resolver(Memory())
        self._decoder = _native.Decoder(resolver, resolver.keys)

    def read(self, body: bytes, limits: DecodeLimits, now_ns: int) -> NativeTraces | None:
        """The spans of a request; None when it takes the portable reader to tell what is wrong with it, if anything."""
        try:
            decoded = self._decoder.decode(body, now_ns + MAX_FUTURE_NS, limits.max_records)
        except DecodeError:
            return None
        if decoded is None:
            return None
        batch, refused, warnings = decoded
        findings = Findings()
        findings.rejected.update(dict(zip(_FAULTS, refused, strict=True)))
        return NativeTraces(batch, findings.rejections(), tuple(warnings))
