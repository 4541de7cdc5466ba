"""Counters of the consumer. Its thread writes them, the event loop reads copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from whence.collector.kafka.sources import Partition
from whence.metrics import Metric, Sample, counter, gauge

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class KafkaCounters:
    """Totals since the start, but for ``assigned``, ``open_spans`` and ``lag``."""

    records: Counter[str] = field(default_factory=Counter)
    """Taken, by topic; those that are read again count again."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Spans and log records inside of records that can't be used, by reason."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """By reason."""
    without_key: int = 0
    """Records of spans whose traces may be strewn over partitions."""
    rebalances: int = 0
    restarts: int = 0
    lost_checkpoints: int = 0
    commits: int = 0
    assigned: int = 0
    """Partitions that are ours now."""
    open_spans: int = 0
    """Of traces that were open at the last cut, so the journal has them."""
    lag: dict[Partition, int] = field(default_factory=dict)
    """Records that wait in each assigned partition."""
    folded: Counter[str] = field(default_factory=Counter)

    def metrics(self) -> Sequence[Metric]:
        """All of it."""
        lag = [Sample(count, {"topic": one.topic, "partition": str(one.number)}) for one, count in _copy(self.lag)]
        return (
            counter("whence_kafka_records_total", "Records read.", *_by("topic", self.records)),
            counter("whence_kafka_rejected_records_total", "Parts that can't be used.", *_by("reason", self.rejected)),
            counter("whence_kafka_dead_letters_total", "Records put aside.", *_by("reason", self.dead_letters)),
            counter("whence_kafka_records_without_key_total", "Spans without a key.", Sample(self.without_key)),
            counter("whence_kafka_commits_total", "Cuts that were committed.", Sample(self.commits)),
            counter("whence_kafka_rebalances_total", "Assignments of partitions.", Sample(self.rebalances)),
            counter("whence_kafka_restarts_total", "New beginnings after a failure.", Sample(self.restarts)),
            counter("whence_kafka_lost_checkpoints_total", "Journal no more readable.", Sample(self.lost_checkpoints)),
            counter("whence_kafka_fold_events_total", "What became of spans.", *_by("event", self.folded)),
            gauge("whence_kafka_assigned_partitions", "Partitions that are read here.", Sample(self.assigned)),
            gauge("whence_kafka_open_spans", "Spans of open traces at the last commit.", Sample(self.open_spans)),
            gauge("whence_kafka_lag_records", "Records that wait.", *lag),
        )


def _by(label: str, totals: Counter[str]) -> list[Sample]:
    return [Sample(count, {label: name}) for name, count in sorted(_copy(totals))]


def _copy(pairs: dict[K, V]) -> list[tuple[K, V]]:
    return list(dict(pairs).items())
