"""What lies in the journal for one partition, as bytes, and the pointer to it that is committed beside the offset.

A record of Kafka is about a megabyte at most, so a large checkpoint takes several: chunks, in order, under one key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from whence.collector.checkpoint import decode_spans, encode_spans
from whence.errors import DecodeError
from whence.model.delta import GraphDelta
from whence.model.spans import Span

CHUNK_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What follows from the records of a partition before an offset and is not yet known to be stored."""

    delta: GraphDelta = field(default_factory=GraphDelta)
    keyed: tuple[Span, ...] = ()
    """Spans of open traces whose records have keys, so that whole traces lie in this partition."""
    unkeyed: tuple[Span, ...] = ()
    """Spans of open traces that are strewn over the partitions of the topic."""

    def __bool__(self) -> bool:
        return bool(self.delta.rows or self.keyed or self.unkeyed)


class Pointer(NamedTuple):
    """Where in the journal topic a checkpoint begins, and of how many chunks it is."""

    partition: int
    offset: int
    chunks: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}:{self.chunks}"


def parse_pointer(text: str | None) -> Pointer | None:
    """Inverse of ``str``; None where nothing, or nothing of ours, was committed beside the offset."""
    parts = (text or "").split(":")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return None
    return Pointer(int(parts[0]), int(parts[1]), int(parts[2]))


class _Stored(msgspec.Struct, array_like=True):
    delta: GraphDelta
    keyed: bytes
    unkeyed: bytes


_decoder = msgspec.msgpack.Decoder(_Stored)


def encode_checkpoint(checkpoint: Checkpoint) -> list[bytes]:
    """Chunks that ``decode_checkpoint`` turns into an equal checkpoint."""
    stored = _Stored(checkpoint.delta, encode_spans(list(checkpoint.keyed)), encode_spans(list(checkpoint.unkeyed)))
    data = msgspec.msgpack.encode(stored)
    return [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]


def decode_checkpoint(chunks: list[bytes]) -> Checkpoint:
    """Inverse of ``encode_checkpoint``.

    Raises:
        DecodeError: It was written by a version that we can't read.
    """
    try:
        stored = _decoder.decode(b"".join(chunks))
        return Checkpoint(stored.delta, tuple(decode_spans(stored.keyed)), tuple(decode_spans(stored.unkeyed)))
    except (msgspec.DecodeError, IndexError, TypeError) as error:
        raise DecodeError(f"a checkpoint can't be read: {error}") from error
