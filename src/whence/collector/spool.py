"""The spool: what was acknowledged is on disk here until the store has it.

A spool is a folder of segments. A segment is a magic line and records, little endian:
``[u32 length][u32 crc32][u8 kind][u64 time][body]``. The checksum covers everything after it. ``time`` (UTC ns) is when
the record was accepted and is the clock with which it is folded, live and on replay, so a replay gives the same rows.

The first records of a segment are a checkpoint: the spans of traces that were open when it began, and which requests
had been taken. So a segment depends on no earlier one, and as soon as the store has what came before, all earlier
segments can go. The file's name is its sequence number and the writer under whose name its counts are stored: replaying
a segment rewrites the same rows.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from whence.errors import ConfigError

_MAGIC = b"WHENCE1\n"
_HEADER = struct.Struct("<II")
_STAMP = struct.Struct("<BQ")
_SUFFIX = ".segment"

CHECKPOINT = 0
"""Kind of a segment's first record."""
TAKEN = 0x1F
"""Kind of its second: which requests were taken before. All other kinds belong to the caller."""


class Record(NamedTuple):
    """One record: the caller's kind (1 to 255), when it was accepted (UTC ns), and its bytes."""

    kind: int
    time_ns: int
    body: bytes


class Segment:
    """One file of the spool, open for appending. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = writer_of(path)
        self._file = path.open("xb", buffering=0)
        self.size_bytes = 0
        self._write([_MAGIC])

    def append(self, records: Sequence[Record]) -> None:
        """Write records in order and return once they are durable; one sync for all of them.

        Raises:
            OSError: Nothing of them is in the segment (a full disk, for instance); it can be used on.
        """
        parts: list[bytes] = []
        for record in records:
            stamp = _STAMP.pack(record.kind, record.time_ns)
            crc = zlib.crc32(record.body, zlib.crc32(stamp))
            parts += (_HEADER.pack(len(record.body) + _STAMP.size, crc), stamp, record.body)
        durable_bytes = self.size_bytes
        try:
            self._write(parts)
            _sync(self._file.fileno())
        except OSError:
            # A reader stops at a torn record, so what is written after it would be lost.
            self._file.truncate(durable_bytes)
            self._file.seek(durable_bytes)
            self.size_bytes = durable_bytes
            raise

    def close(self) -> None:
        """Close the file; it stays on disk."""
        self._file.close()

    def _write(self, parts: list[bytes]) -> None:
        data = b"".join(parts)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self.size_bytes += len(data)


class Spool:
    """The folder of segments of one process; a lock file keeps a second process out."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = _lock(folder / "lock")

    def segments(self) -> list[Path]:
        """Existing segments, oldest first. A last one that lacks its checkpoint was never in use: it is removed."""
        paths = sorted(self.folder.glob(f"*{_SUFFIX}"))
        if paths and next(read_segment(paths[-1]), None) is None:
            paths.pop().unlink()
        return paths

    def begin(self, writer: str, checkpoint: bytes, taken: bytes, time_ns: int) -> Segment:
        """Start a new segment; on return its first records are durable."""
        paths = sorted(self.folder.glob(f"*{_SUFFIX}"))
        sequence = int(paths[-1].name.partition("-")[0]) + 1 if paths else 1
        path = self.folder / f"{sequence:010d}-{writer}{_SUFFIX}"
        try:
            segment = Segment(path)
            segment.append([Record(CHECKPOINT, time_ns, checkpoint), Record(TAKEN, time_ns, taken)])
            _sync_folder(self.folder)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return segment

    def close(self) -> None:
        """Let another process have the folder."""
        os.close(self._lock)


def writer_of(path: Path) -> str:
    """Writer under whose name a segment's counts are stored."""
    return path.name.removesuffix(_SUFFIX).partition("-")[2]


def read_segment(path: Path) -> Iterator[Record]:
    """Records of a segment, up to the first that is torn or damaged; what follows was never acknowledged."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return
        while len(header := file.read(_HEADER.size)) == _HEADER.size:
            length, crc = _HEADER.unpack(header)
            payload = file.read(length)
            if len(payload) != length or length < _STAMP.size or zlib.crc32(payload) != crc:
                return
            kind, time_ns = _STAMP.unpack_from(payload)
            yield Record(kind, time_ns, payload[_STAMP.size :])


def _sync(descriptor: int) -> None:
    # macOS has no fdatasync.
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise ConfigError(
            f"another whence process is using {path.parent}; stop it or choose another --data-dir"
        ) from None
    return descriptor
