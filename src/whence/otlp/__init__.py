"""OTLP bytes to spans: protobuf and JSON, limits. The only room that knows OTLP. Pure."""

from whence.otlp.batches import DecodeLimits, Encoding, LogBatch, TraceBatch
from whence.otlp.compression import gunzip, unzstd
from whence.otlp.decode import decode_logs, decode_metrics, decode_traces

__all__ = [
    "DecodeLimits",
    "Encoding",
    "LogBatch",
    "TraceBatch",
    "decode_logs",
    "decode_metrics",
    "decode_traces",
    "gunzip",
    "unzstd",
]
