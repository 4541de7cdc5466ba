"""Gzip and zstd with a hard bound on what comes out: a small body can unpack to gigabytes."""

from __future__ import annotations

import zlib

import zstandard

from whence.errors import DecodeError, LimitExceeded

_GZIP_ONLY = 16 + zlib.MAX_WBITS
_MAX_MEMBERS = 16
"""Exporters send one. Every further one costs a copy of the rest, so their number is bounded too."""

_SLICE = 1024
"""Bytes of zstd that are unpacked at once. They can't be told to stop, and become at most 32 megabytes."""
_WINDOW_BYTES = 8 * 2**20
"""What RFC 8878 asks every decoder to manage; a larger one is memory that a sender takes from us."""


def gunzip(data: bytes, max_bytes: int) -> bytes:
    """Unpack all members of a gzip stream; never holds more than ``max_bytes`` of output.

    Raises:
        LimitExceeded: There is more than ``max_bytes``.
        DecodeError: It is not gzip, or ends too early.
    """
    chunks: list[bytes] = []
    left = max_bytes
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(_GZIP_ONLY)
        try:
            chunk = member.decompress(data, left + 1)
        except zlib.error as error:
            raise DecodeError(f"not a valid gzip body: {error}") from None
        left -= len(chunk)
        if left < 0:
            raise LimitExceeded(f"the body unpacks to more than {max_bytes} bytes")
        if not member.eof:
            raise DecodeError("the gzip body ends too early")
        chunks.append(chunk)
        data = member.unused_data.lstrip(b"\0")  # zero padding after a member is allowed
        if not data:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    raise LimitExceeded(f"the gzip body has more than {_MAX_MEMBERS} members")


def unzstd(data: bytes, max_bytes: int) -> bytes:
    """Unpack one zstd frame; never holds more than ``max_bytes`` of output, and what one slice became.

    Raises:
        LimitExceeded: There is more than ``max_bytes``.
        DecodeError: It is not zstd, asks for too large a window, ends too early or goes on after the frame.
    """
    frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj()
    chunks: list[bytes] = []
    left = max_bytes
    for start in range(0, len(data), _SLICE):
        if frame.eof:
            raise DecodeError("the zstd body goes on after its frame")
        try:
            chunks.append(frame.decompress(data[start : start + _SLICE]))
        except zstandard.ZstdError as error:
            raise DecodeError(f"not a valid zstd body: {error}") from None
        left -= len(chunks[-1])
        if left < 0:
            raise LimitExceeded(f"the body unpacks to more than {max_bytes} bytes")
    if not frame.eof or frame.unused_data:
        raise DecodeError("the zstd body ends too early, or goes on after its frame")
    return b"".join(chunks)
