"""Counters of the ingest loop: what came in, and each way in which something did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from whence.collector.engine import Batch, Engine, Request
from whence.metrics import Metric, Sample, counter, gauge


class IngestCounters:
    """Totals since start. Only the event loop touches them."""

    def __init__(self) -> None:
        self._records: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._bytes = 0
        self._redelivered = 0

    def accepted(self, request: Request, batch: Batch) -> None:
        """A request that was answered with success, perhaps a partial one."""
        self._records[request.signal.name.lower()] += batch.records
        self._bytes += len(request.body)
        self._rejected.update(dict(batch.rejections.counts))

    def redelivered(self) -> None:
        """A request that had been taken before."""
        self._redelivered += 1

    def refused(self, reason: str) -> None:
        """A whole request that was not taken."""
        self._refused[reason] += 1

    def metrics(self) -> Sequence[Metric]:
        """All of it, by signal or reason."""
        return (
            counter(
                "whence_accepted_records_total",
                "Spans, log records and data points taken.",
                *_by("signal", self._records),
            ),
            counter("whence_accepted_bytes_total", "Bytes of accepted requests, as sent.", Sample(self._bytes)),
            counter("whence_redelivered_requests_total", "Requests taken before.", Sample(self._redelivered)),
            counter("whence_rejected_records_total", "Records that can't be used.", *_by("reason", self._rejected)),
            counter("whence_refused_requests_total", "Requests not taken; resend.", *_by("reason", self._refused)),
        )


def engine_metrics(engine: Engine) -> Sequence[Metric]:
    """Which engine folds, and its totals by event."""
    return (
        gauge("whence_engine_info", "The engine that decodes and folds.", Sample(1, {"engine": engine.name})),
        counter("whence_fold_events_total", "What became of spans.", *_by("event", Counter(engine.counters()))),
    )


def _by(label: str, totals: Counter[str]) -> list[Sample]:
    return [Sample(count, {label: name}) for name, count in sorted(totals.items())]
