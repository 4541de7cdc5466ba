"""The consumer as the service sees it: a thread that begins again, from the last cut, whenever something fails."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence

from confluent_kafka import KafkaException

from whence.collector.kafka.clients import ensure_topics, make_consumer, make_producer
from whence.collector.kafka.counters import KafkaCounters
from whence.collector.kafka.ledger import Ledger
from whence.collector.kafka.session import KafkaParts, Session
from whence.errors import StoreError
from whence.metrics import Metric, Sample, counter, gauge

log = logging.getLogger("whence.collector")

_STOP_SECONDS = 15.0
_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 1.0, 30.0


class KafkaReceiver:
    """Create, ``start``, ``stop``. It never gives up on brokers that don't answer."""

    def __init__(self, parts: KafkaParts) -> None:
        self.counters = KafkaCounters()
        self._parts = parts
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="whence-kafka", daemon=True)

    def start(self) -> None:
        """Begin to read, in a thread of its own."""
        self._thread.start()

    async def stop(self) -> None:
        """Commit what is folded, write it to the store if that answers, and give the partitions back.

        Brokers that fall silent meanwhile are not waited for: what is not committed is read again.
        """
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, _STOP_SECONDS)

    def metrics(self) -> Sequence[Metric]:
        """Counters and gauges for ``/metrics``."""
        flusher = self._parts.flusher
        return (
            *self.counters.metrics(),
            gauge("whence_kafka_unflushed_rows", "Rows that the store lacks.", Sample(flusher.pending_rows)),
            counter("whence_kafka_flush_failures_total", "Writes refused by the store.", Sample(flusher.failures)),
            counter("whence_kafka_dropped_rows_total", "Rows the store can't take.", Sample(flusher.dropped_rows)),
        )

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._live()
            except Exception as error:
                self.counters.restarts += 1
                is_known = isinstance(error, KafkaException | StoreError)
                log.warning("Kafka: %s; beginning again", error, exc_info=not is_known)
            pause = _FIRST_PAUSE_SECONDS if time.monotonic() - began > _MAX_PAUSE_SECONDS else pause
            self._stopping.wait(pause)
            pause = min(pause * 2, _MAX_PAUSE_SECONDS)

    def _live(self) -> None:
        options = self._parts.options
        ensure_topics(options)
        ledger = Ledger(options, make_producer(options))
        consumer = make_consumer(options)
        try:
            Session(self._parts, self.counters, self._stopping, consumer, ledger).run()
        finally:
            self.counters.assigned, self.counters.lag = 0, {}
            consumer.close()
