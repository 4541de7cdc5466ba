"""The compiled engine. Import it only where ``whence._native`` is there."""

from __future__ import annotations

from whence.collector.checkpoint import encode_batch
from whence.collector.engine import Batch, PortableEngine, spans_batch
from whence.fold.native import NativeFolder
from whence.otlp import DecodeLimits, Encoding
from whence.otlp.native import NativeReader


class NativeEngine(PortableEngine):
    """Reads and folds spans with compiled code; what that does not understand goes the portable way."""

    name = "native"

    def __init__(self, folder: NativeFolder, limits: DecodeLimits) -> None:
        super().__init__(folder, limits)
        self._native_folder = folder
        self._reader = NativeReader()

    def _decode_traces(self, body: bytes, encoding: Encoding, now_ns: int) -> Batch:
        if encoding is Encoding.PROTOBUF:
            self._limits.check_body(len(body))
            traces = self._reader.read(body, self._limits, now_ns)
            if traces is not None:
                return spans_batch(traces.batch, traces.rejections)
        return super()._decode_traces(body, encoding, now_ns)

    def checkpoint(self) -> bytes:
        """See ``Engine``."""
        return encode_batch(self._native_folder.open_batch())
