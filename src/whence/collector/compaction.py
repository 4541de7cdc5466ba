"""Keeping counts of long ago in wider buckets, in small steps beside the work of the service."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from whence.errors import StoreError
from whence.metrics import Metric, Sample, counter, gauge
from whence.store.protocol import Compactable

log = logging.getLogger("whence.collector")

_SECONDS_BETWEEN_RUNS = 3600.0
_SHARE_OF_TIME = 0.25
"""Of the time of a run that steps may take: between two of them the store is left to others."""


class Compaction:
    """Folds counts older than some age, once an hour. ``ages`` are pairs (seconds of age, seconds of width)."""

    def __init__(self, store: Compactable, ages: Sequence[tuple[int, int]], *, clock: Callable[[], int]) -> None:
        self._store = store
        self._ages = ages
        self._clock = clock
        self._rows = 0
        self._failures = 0
        self._last_seconds = 0.0
        self._last_at_s = 0

    async def run_forever(self) -> None:
        """One run after the other, until it is cancelled; what the store refuses is tried again in the next."""
        while True:
            try:
                await self.run()
            except StoreError as error:
                self._failures += 1
                log.warning("compaction stopped and will go on later: %s", error)
            await asyncio.sleep(_SECONDS_BETWEEN_RUNS)

    async def run(self) -> None:
        """Fold all that is due.

        Raises:
            StoreError: The store failed; what is folded is folded.
        """
        began = time.monotonic()
        now_s = self._clock() // 1_000_000_000
        for age_s, width_s in self._ages:
            await self._fold(now_s - age_s, width_s)
        self._last_seconds, self._last_at_s = time.monotonic() - began, now_s

    async def _fold(self, before_s: int, width_s: int) -> None:
        after_s = -1
        began = time.monotonic()
        while step := await self._store.compact(after_s, before_s, width_s):
            after_s = step.start_s
            self._rows += step.rows
            took = time.monotonic() - began
            await asyncio.sleep(took * (1 / _SHARE_OF_TIME - 1))
            began = time.monotonic()

    def metrics(self) -> Sequence[Metric]:
        """What was folded, and how the last run went."""
        return (
            counter("whence_compacted_rows_total", "Rows folded into wider buckets.", Sample(self._rows)),
            counter("whence_compaction_failures_total", "Runs that the store stopped.", Sample(self._failures)),
            gauge("whence_compaction_seconds", "How long the last whole run took.", Sample(self._last_seconds)),
            gauge("whence_compaction_last_timestamp_seconds", "When it began.", Sample(self._last_at_s)),
        )
