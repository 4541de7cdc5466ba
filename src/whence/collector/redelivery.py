"""Requests taken in the last minutes, so that one that is sent again counts once.

Exporters send a request again when its answer is late or lost, for up to five minutes (the Collector's default), with
the same bytes. Span ids alone would tell only while a trace is open. What is remembered lies in the spool as well: a
restart changes nothing.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterable

import xxhash

from whence.collector.engine import Request

KEEP_SECONDS = 300
MOST = 200_000
"""Requests remembered at once, some 30 MB; the oldest go first."""

_ENTRY = struct.Struct("<16sQ")


def digest_of(request: Request) -> bytes:
    """What tells a request from others: 16 bytes. Equal ones are redeliveries, for spans bear ids and logs times."""
    return xxhash.xxh3_128_digest(request.body, seed=request.signal)


class Taken:
    """Digests of requests by when they were taken, the oldest first. Not thread-safe."""

    def __init__(self, keep_seconds: float = KEEP_SECONDS, most: int = MOST) -> None:
        self._keep_ns = round(keep_seconds * 1e9)
        self._most = most
        self._times: OrderedDict[bytes, int] = OrderedDict()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._times

    def __len__(self) -> int:
        return len(self._times)

    def add(self, digests: Iterable[bytes], now_ns: int) -> None:
        """Remember requests, and forget what is too old or too much."""
        self._times.update(dict.fromkeys(digests, now_ns))
        while self._times and (len(self._times) > self._most or self._oldest() < now_ns - self._keep_ns):
            self._times.popitem(last=False)

    def encode(self) -> bytes:
        """Everything, for a record of the spool."""
        return b"".join(_ENTRY.pack(digest, time_ns) for digest, time_ns in self._times.items())

    def restore(self, data: bytes) -> None:
        """Remember what ``encode`` wrote. What is known stays: segments are read in the order of time."""
        for digest, time_ns in _ENTRY.iter_unpack(data):
            self._times.setdefault(digest, time_ns)

    def _oldest(self) -> int:
        return next(iter(self._times.values()))
