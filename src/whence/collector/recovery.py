"""Start after a stop or a crash: fold again what the spool still holds.

Each segment is replayed under its own writer's name with the times stamped on its records, so it writes the same rows
as before and the store's merge leaves them as they are. What was open at the end of the last segment stays open.
"""

from __future__ import annotations

import logging
from itertools import zip_longest
from pathlib import Path

from whence.collector.checkpoint import decode_spans
from whence.collector.engine import Engine
from whence.collector.flusher import Flusher
from whence.collector.records import to_request
from whence.collector.redelivery import Taken, digest_of
from whence.collector.spool import TAKEN, Record, read_segment, writer_of
from whence.errors import InputError

log = logging.getLogger("whence.collector")


def recover(segments: list[Path], engine: Engine, flusher: Flusher, taken: Taken) -> int:
    """Replay segments, oldest first, and hand the result to the flusher. Returns how many requests were replayed."""
    replayed = 0
    for path, successor in zip_longest(segments, segments[1:]):
        engine.roll(writer_of(path))
        last_ns = 0
        for index, record in enumerate(read_segment(path)):
            last_ns = record.time_ns
            if index == 0:
                engine.restore(decode_spans(record.body), record.time_ns)
            elif record.kind == TAKEN:
                taken.restore(record.body)
            else:
                _replay(record, engine, taken, path)
                replayed += 1
        if successor is not None:
            last_ns = next(read_segment(successor)).time_ns
            engine.expire(last_ns)
        flusher.add(engine.drain(last_ns))
    if replayed:
        log.info("replayed %d requests from %d segments of the spool", replayed, len(segments))
    return replayed


def _replay(record: Record, engine: Engine, taken: Taken, path: Path) -> None:
    request = to_request(record)
    taken.add([digest_of(request)], record.time_ns)
    try:
        engine.apply(engine.decode(request, record.time_ns), record.time_ns)
    except InputError:
        log.exception("a record of %s can't be read by this version and is skipped", path.name)
