"""Counters of the ingest loop: what came in and each way in which something did not."""

from __future__ import annotations

from collections import Counter

from whence.collector.engine import Batch, Request


class IngestCounters:
    """Totals since start. Only the event loop touches them."""

    def __init__(self) -> None:
        self._totals: Counter[str] = Counter()

    def accepted(self, request: Request, batch: Batch) -> None:
        """A request that was answered with success, perhaps a partial one."""
        self._totals[f"accepted_{request.signal.name.lower()}"] += batch.records
        self._totals["accepted_bytes"] += len(request.body)
        for reason, count in batch.rejections.counts:
            self._totals[f"rejected_{reason}"] += count

    def refused(self, reason: str) -> None:
        """A whole request that was not taken."""
        self._totals[f"refused_{reason}"] += 1

    def totals(self) -> dict[str, int]:
        """A copy, by name."""
        return dict(self._totals)
