"""Deltas on their way to the store: held, merged and sent again until the store has them."""

from __future__ import annotations

import logging
import time

from whence.errors import StoreError
from whence.model.delta import GraphDelta, halves, merge
from whence.store.protocol import GraphWriter

log = logging.getLogger("whence.collector")

_MAX_PAUSE_SECONDS = 30.0


class Flusher:
    """Holds what the store does not have yet. Its size is bounded by the spool, which refuses input when it is full."""

    def __init__(self, store: GraphWriter, *, first_pause_seconds: float = 1.0) -> None:
        self._store = store
        self._pending = GraphDelta()
        self._quiet_until = 0.0
        self._first_pause_seconds = self._pause_seconds = first_pause_seconds
        self.failures = 0
        self.dropped_rows = 0

    @property
    def pending_rows(self) -> int:
        """Rows that the store does not have yet."""
        return self._pending.rows

    def add(self, delta: GraphDelta) -> None:
        """Take a delta; merging is safe in any order since counts are absolute."""
        self._pending = merge(self._pending, delta)

    async def flush(self) -> bool:
        """Try to write all that is held, unless the store failed a moment ago. True when nothing is left."""
        if not self._pending.rows:
            return True
        if time.monotonic() < self._quiet_until:
            return False
        delta, self._pending = self._pending, GraphDelta()
        try:
            await self._write(delta)
        except StoreError as error:
            self._keep(delta, error)
            return False
        except BaseException:
            self._pending = merge(delta, self._pending)
            raise
        self._pause_seconds = self._first_pause_seconds
        return not self._pending.rows

    async def _write(self, delta: GraphDelta) -> None:
        """Write a delta; a row that the store can never take is dropped and counted, so that it holds up no other."""
        try:
            await self._store.upsert(delta)
        except StoreError as error:
            if error.retryable:
                raise
            if delta.rows == 1:
                self.dropped_rows += 1
                log.exception("the store can't take a row, which is lost: %r", delta)
                return
            for half in halves(delta):
                await self._write(half)

    def _keep(self, delta: GraphDelta, error: StoreError) -> None:
        self.failures += 1
        self._pending = merge(delta, self._pending)
        self._quiet_until = time.monotonic() + self._pause_seconds
        log.warning("the store did not take %d rows, next try in %.0f s: %s", delta.rows, self._pause_seconds, error)
        self._pause_seconds = min(self._pause_seconds * 2, _MAX_PAUSE_SECONDS)
