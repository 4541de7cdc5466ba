"""The ingest loop: decode, make durable, acknowledge, fold, and write to the store in batches.

Three threads, so that the event loop only ever waits: ``fold`` runs the engine (one thread, so the engine needs no
lock), ``disk`` syncs the spool, and the store brings its own. Requests that arrive during a sync share the next one.

What holds at every moment: a record is acknowledged only after its sync; records are folded in the order in which they
lie in the segment, with the time stamped on them; a segment is deleted only when the store has all that it led to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from whence.collector.counters import IngestCounters, engine_metrics
from whence.collector.engine import Batch, Engine, Request
from whence.collector.flusher import Flusher
from whence.collector.records import to_record
from whence.collector.redelivery import Taken, digest_of
from whence.collector.spool import Segment, Spool
from whence.errors import Overloaded
from whence.metrics import Metric, Sample, counter, gauge
from whence.model.delta import GraphDelta
from whence.model.spans import Rejections

log = logging.getLogger("whence.collector")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """Bounds of every buffer of the loop."""

    queue_max_bytes: int
    """Bodies that wait for the disk or the fold; beyond it requests are refused with a retry hint."""
    spool_max_bytes: int
    """Segments on disk; beyond it (the store has been down for long) requests are refused."""
    flush_seconds: float
    segment_max_seconds: float = 60.0

    @property
    def segment_max_bytes(self) -> int:
        """A segment is ended at this size: small enough that the spool's bound means something.

        No smaller, because each one begins with all open spans.
        """
        return self.spool_max_bytes // 4


IngestOf = Callable[[str], Awaitable["Ingest"]]
"""What takes the requests of a tenant, by its name."""


class Outcome(NamedTuple):
    """What became of a request: its records are durable, but for the rejected ones."""

    records: int
    rejections: Rejections


@dataclass(slots=True)
class _Waiting:
    request: Request
    digest: bytes
    batch: Batch
    done: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Set once the request is durable: whether it counts, or had been taken before."""


class Ingest:
    """Owns the engine, the spool and the flusher. Create, ``start``, ``submit`` many times, ``stop``."""

    def __init__(
        self,
        engine: Engine,
        spool: Spool,
        flusher: Flusher,
        taken: Taken,
        limits: IngestLimits,
        *,
        clock: Callable[[], int],
        new_writer: Callable[[], str],
    ) -> None:
        self.counters = IngestCounters()
        self.engine = engine
        self._spool = spool
        self._flusher = flusher
        self._taken = taken
        self._limits = limits
        self._clock = clock
        self._new_writer = new_writer
        self._fold = ThreadPoolExecutor(1, thread_name_prefix="whence-fold")
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="whence-disk")
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._order = asyncio.Lock()
        self._queued_bytes = 0
        self._last_ns = 0
        self._segment: Segment | None = None
        self._segment_began_ns = 0
        self._retired: dict[Path, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def is_ready(self) -> bool:
        """Whether requests are taken."""
        return bool(self._tasks)

    async def start(self) -> None:
        """Begin a segment with what is open after recovery, and take requests."""
        self._retired = {path: path.stat().st_size for path in self._spool.segments()}
        await self._roll()
        self._tasks = [
            asyncio.create_task(self._commit_forever(), name="whence-commit"),
            asyncio.create_task(self._flush_forever(), name="whence-flush"),
        ]

    async def stop(self) -> None:
        """Write what is folded to the store if it answers, and let go. Open traces stay in the spool."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._waiting:
            await self._commit()
        await self._flush()
        if self._segment is not None:
            self._segment.close()
        self._fold.shutdown()
        self._disk.shutdown()
        self._spool.close()

    async def submit(self, request: Request) -> Outcome:
        """Take a request; returns once all of it that is accepted is durable.

        Raises:
            InputError: Nothing was kept; the request can never succeed.
            Overloaded: Nothing was kept; the same request may succeed later.
        """
        size = len(request.body)
        self._refuse_when_full(size)
        self._queued_bytes += size
        try:
            digest, batch = await self._in_fold(lambda: (digest_of(request), self.engine.decode(request, self._now())))
            is_new = True
            if batch.records:
                waiting = _Waiting(request, digest, batch)
                self._waiting.append(waiting)
                self._arrived.set()
                is_new = await waiting.done
        finally:
            self._queued_bytes -= size
        if is_new:
            self.counters.accepted(request, batch)
        else:
            self.counters.redelivered()
        return Outcome(batch.records, batch.rejections)

    def metrics(self) -> Sequence[Metric]:
        """Counters and gauges for ``/metrics``: what came in, each way in which something was lost, and what waits."""
        return (
            *self.counters.metrics(),
            *engine_metrics(self.engine),
            gauge("whence_remembered_requests", "Requests that count once if sent again.", Sample(len(self._taken))),
            gauge("whence_queued_bytes", "Requests that wait for disk or fold.", Sample(self._queued_bytes)),
            gauge("whence_spool_bytes", "Acknowledged requests on disk.", Sample(self._spool_bytes())),
            gauge("whence_unflushed_rows", "Rows that the store lacks.", Sample(self._flusher.pending_rows)),
            counter("whence_flush_failures_total", "Writes refused by the store.", Sample(self._flusher.failures)),
            counter("whence_dropped_rows_total", "Rows the store can't take.", Sample(self._flusher.dropped_rows)),
        )

    def _refuse_when_full(self, size: int) -> None:
        if not self.is_ready():
            raise Overloaded("starting or stopping")
        if self._queued_bytes + size > self._limits.queue_max_bytes and self._queued_bytes:
            self.counters.refused("queue_full")
            raise Overloaded("the ingest queue is full")
        if self._spool_bytes() > self._limits.spool_max_bytes:
            self.counters.refused("spool_full")
            raise Overloaded("the spool is full because the store does not keep up", retry_after_seconds=5)

    async def _commit_forever(self) -> None:
        while True:
            await self._arrived.wait()
            await self._commit()

    async def _commit(self) -> None:
        """Make everything that waits durable with one sync, acknowledge it, and fold it in the same order.

        What was taken before is acknowledged alone.
        """
        async with self._order:
            self._arrived.clear()
            group, self._waiting = self._waiting, []
            segment = self._segment
            if not group or segment is None:
                return
            now_ns = self._now()
            new = {one.digest: one for one in reversed(group) if one.digest not in self._taken}
            records = [to_record(waiting.request, now_ns) for waiting in new.values()]
            try:
                if records:
                    await self._in_disk(lambda: segment.append(records))
            except OSError as error:
                log.exception("the spool can't be written")
                self.counters.refused("disk")
                _refuse(group, Overloaded(f"the spool can't be written ({error.strerror})", retry_after_seconds=5))
                return
            self._taken.add(new, now_ns)
            for waiting in group:
                if not waiting.done.done():
                    waiting.done.set_result(new.get(waiting.digest) is waiting)
            batches = [waiting.batch for waiting in new.values()]
            await self._in_fold(lambda: _apply_all(self.engine, batches, now_ns))

    async def _flush_forever(self) -> None:
        while True:
            await asyncio.sleep(self._limits.flush_seconds)
            try:
                if self._segment_is_old():
                    await self._roll()
                else:
                    await self._flush()
            except Exception:
                log.exception("flush failed; it will be tried again")

    async def _flush(self) -> None:
        """Write what changed; when all of it arrived, segments before the current one are of no more use."""
        async with self._order:
            delta = await self._in_fold(lambda: _expire_and_drain(self.engine, self._now()))
        self._flusher.add(delta)
        if await self._flusher.flush():
            for path in list(self._retired):
                path.unlink(missing_ok=True)
                del self._retired[path]

    async def _roll(self) -> None:
        """Start a new segment under a new writer; what was folded so far belongs to the old one."""
        async with self._order:
            now_ns = self._now()
            delta = await self._in_fold(lambda: _expire_and_drain(self.engine, now_ns))
            self._flusher.add(delta)
            checkpoint, taken = await self._in_fold(lambda: (self.engine.checkpoint(), self._taken.encode()))
            writer = self._new_writer()
            fresh = await self._in_disk(lambda: self._spool.begin(writer, checkpoint, taken, now_ns))
            await self._in_fold(lambda: self.engine.roll(writer))
            old, self._segment, self._segment_began_ns = self._segment, fresh, now_ns
            if old is not None:
                old.close()
                self._retired[old.path] = old.size_bytes
        await self._flush()

    def _spool_bytes(self) -> int:
        return sum(self._retired.values()) + (self._segment.size_bytes if self._segment else 0)

    def _segment_is_old(self) -> bool:
        segment = self._segment
        return segment is not None and (
            segment.size_bytes > self._limits.segment_max_bytes
            or self._now() - self._segment_began_ns > self._limits.segment_max_seconds * 1e9
        )

    def _now(self) -> int:
        """The clock, never going back: records must be folded with rising times, live and on replay."""
        self._last_ns = max(self._last_ns, self._clock())
        return self._last_ns

    async def _in_fold(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._fold, work)

    async def _in_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


def _apply_all(engine: Engine, batches: list[Batch], now_ns: int) -> None:
    for batch in batches:
        engine.apply(batch, now_ns)


def _expire_and_drain(engine: Engine, now_ns: int) -> GraphDelta:
    engine.expire(now_ns)
    return engine.drain(now_ns)


def _refuse(group: list[_Waiting], error: Overloaded) -> None:
    for waiting in group:
        with contextlib.suppress(asyncio.InvalidStateError):
            waiting.done.set_exception(error)
