"""Gzip with a hard bound on what comes out: a small body can unpack to gigabytes."""

from __future__ import annotations

import zlib

from whence.errors import DecodeError, LimitExceeded

_GZIP_ONLY = 16 + zlib.MAX_WBITS
_MAX_MEMBERS = 16
"""Exporters send one. Every further one costs a copy of the rest, so their number is bounded too."""


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
