"""One life of the clients: read, fold, cut, and let the store have it, until told to stop or something fails."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaException, Message, TopicPartition

from whence.collector.engine import Request
from whence.collector.flusher import Flusher
from whence.collector.kafka.counters import KafkaCounters
from whence.collector.kafka.ledger import Ledger
from whence.collector.kafka.letters import INTERNAL, Letter, dead_letter
from whence.collector.kafka.share import EngineFactory, Share
from whence.collector.kafka.sources import OTLP, Content, KafkaOptions, Partition
from whence.errors import StoreError
from whence.model.delta import GraphDelta

log = logging.getLogger("whence.collector")
T = TypeVar("T")

EventReader = Callable[[bytes, int], Coroutine[Any, Any, GraphDelta]]
"""Reads an event that came in at a time (UTC ns). Raises ``InputError`` when it never can be read."""

_NS_PER_MILLISECOND = 1_000_000
_POLL_SECONDS = 0.2
_LAG_SECONDS = 1.0
_STALL_SECONDS = 1.0
"""Whoever did not read for so long can't tell from the clock that a trace is over: its next span may lie unread."""
_MAX_LETTER_BYTES = 8 * 2**20
_MAX_UNCUT_RECORDS = 50_000
"""A cut comes at least as often, so that what waits for it, and what a successor reads again, is bounded."""


@dataclass(frozen=True, slots=True)
class KafkaParts:
    """What the consumer works with, made by ``main``."""

    options: KafkaOptions
    make_engine: EngineFactory
    new_writer: Callable[[], str]
    flusher: Flusher
    """Of its own: it is empty before each cut, so the journal need not hold what an earlier cut held."""
    events: Mapping[Content, EventReader]
    clock: Callable[[], int]
    loop: asyncio.AbstractEventLoop
    """The one in which the store lives."""


class Session:
    """Runs in one thread, in which librdkafka also calls back about partitions."""

    def __init__(
        self,
        parts: KafkaParts,
        counters: KafkaCounters,
        stopping: threading.Event,
        consumer: Consumer,
        ledger: Ledger,
    ) -> None:
        self._parts = parts
        self._counters = counters
        self._stopping = stopping
        self._consumer = consumer
        self._ledger = ledger
        self._share = self._new_share()
        self._membership: Any = None
        """Proof of the generation in which our partitions are ours. Taken with them and never anew: a consumer that was
        put out of its group is given a blank one, which brokers accept from anybody."""
        self._letters: list[Letter] = []
        self._uncut = 0
        self._last_ns = 0
        self._cut_at = self._measured_at = self._read_at = time.monotonic()
        self._folded_before: Counter[str] = Counter(counters.folded)

    def run(self) -> None:
        """Read until told to stop.

        Raises:
            KafkaException: The brokers refused something, or don't answer.
            StoreError: The store could not be asked about an event.
        """
        topics = list(self._parts.options.topics)
        self._consumer.subscribe(topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        while not self._stopping.is_set():
            self._settle()
            self._read_on()
            self._measure()
            if self._is_due():
                self._cut()
        self._cut()

    def _read_on(self) -> None:
        if time.monotonic() - self._read_at > _STALL_SECONDS:
            self._share.restart(self._now())
        self._poll()
        self._read_at = time.monotonic()

    def _poll(self) -> None:
        message = self._consumer.poll(_POLL_SECONDS)
        if message is None:
            return
        error = message.error()
        if error is None:
            self._take(message)
        elif error.fatal():
            raise KafkaException(error)
        else:
            log.warning("Kafka: %s", error)

    def _take(self, message: Message) -> None:
        partition = Partition(message.topic() or "", message.partition() or 0)
        self._counters.records[partition.topic] += 1
        try:
            apply = self._read(partition, message)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  whosever fault it is, it must not hold up the partition
            self._put_aside(message, error)
        else:
            apply()
        self._share.advance(partition, (message.offset() or 0) + 1)
        self._uncut += 1

    def _read(self, partition: Partition, message: Message) -> Callable[[], None]:
        """Make sense of a record, changing nothing; what comes back has it folded."""
        content = self._parts.options.topics[partition.topic]
        body, now_ns = message.value() or b"", self._now()
        if content not in OTLP:
            delta = self._wait_for(self._parts.events[content](body, _came_ns(message, now_ns)))
            return lambda: self._share.add(partition, delta)
        is_keyed = message.key() is not None
        request = Request(*OTLP[content], is_gzip=False, body=body)
        batch = self._share.decode(partition, request, now_ns, is_keyed=is_keyed)
        self._counters.rejected.update(dict(batch.rejections.counts))
        self._counters.without_key += not is_keyed
        return lambda: self._share.fold(partition, batch, now_ns, is_keyed=is_keyed)

    def _put_aside(self, message: Message, error: Exception) -> None:
        letter = dead_letter(message, error)
        self._letters.append(letter)
        self._counters.dead_letters[letter.reason] += 1
        where = f"{message.topic()}[{message.partition()}] at {message.offset()}"
        log.warning("%s: put aside: %s", where, error, exc_info=letter.reason == INTERNAL)

    def _is_due(self) -> bool:
        return (
            time.monotonic() - self._cut_at > self._parts.options.commit_seconds
            or self._uncut >= _MAX_UNCUT_RECORDS
            or sum(len(letter.value or b"") for letter in self._letters) > _MAX_LETTER_BYTES
        )

    def _cut(self) -> None:
        """Commit what was read and give its rows to the store, once that has those of the cut before."""
        if self._parts.flusher.pending_rows or self._membership is None:
            return
        self._uncut = 0
        cut = self._share.cut(self._now())
        self._counters.folded = self._folded_before + self._share.fold_counters()
        self._cut_at = time.monotonic()
        if cut is None or not cut.offsets:
            return
        self._ledger.commit(cut, self._letters, self._membership)
        self._letters = []
        self._counters.commits += 1
        self._counters.open_spans = cut.open_spans
        self._parts.flusher.add(cut.delta)
        self._settle()
        # However long that took, there is time to read before the next.
        self._cut_at = time.monotonic()

    def _settle(self) -> None:
        """Wait until the store has what was committed. Meanwhile nothing is fetched, and the group keeps us."""
        flusher = self._parts.flusher
        if not flusher.pending_rows or self._wait_for(flusher.flush()):
            return
        while not self._stopping.is_set() and not self._wait_for(flusher.flush()):
            self._consumer.pause(self._consumer.assignment())
            self._poll()
        self._consumer.resume(self._consumer.assignment())

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Go on from where whoever had these partitions before committed last."""
        self._forget()
        self._membership = consumer.consumer_group_metadata()
        self._counters.rebalances += 1
        now_ns = self._now()
        self._share.assigned = frozenset(Partition(one.topic, one.partition) for one in partitions)
        self._counters.assigned = len(partitions)
        places = self._ledger.committed(consumer, partitions)
        for place in places:
            if place.offset < 0:
                continue
            checkpoint = self._ledger.checkpoint(place)
            if checkpoint is None:
                self._counters.lost_checkpoints += 1
                continue
            self._share.restore(Partition(place.topic, place.partition), place.offset, checkpoint, now_ns)
            self._parts.flusher.add(checkpoint.delta)
        consumer.assign([TopicPartition(place.topic, place.partition, place.offset) for place in places])

    def _revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._forget()

    def _forget(self) -> None:
        """Throw away what is not committed: whoever has the partitions next reads it again."""
        self._folded_before = Counter(self._counters.folded)
        self._membership = None
        self._share, self._letters, self._uncut = self._new_share(), [], 0
        self._counters.assigned, self._counters.lag = 0, {}

    def _new_share(self) -> Share:
        return Share(self._parts.make_engine, self._parts.new_writer)

    def _measure(self) -> None:
        """Note how much waits, as far as the client was told by the broker."""
        if time.monotonic() - self._measured_at < _LAG_SECONDS:
            return
        self._measured_at = time.monotonic()
        lag = {}
        for partition, offset in self._share.offsets.items():
            _, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
            lag[partition] = max(0, high - offset)
        self._counters.lag = lag

    def _now(self) -> int:
        """The clock, never going back, as folds want it."""
        self._last_ns = max(self._last_ns, self._parts.clock())
        return self._last_ns

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work that belongs into the event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._parts.loop).result()


def _came_ns(message: Message, now_ns: int) -> int:
    """When a record came to the broker: reading it again must give the same ids, which may be made from the time."""
    kind, millis = message.timestamp()
    return now_ns if kind == TIMESTAMP_NOT_AVAILABLE else min(millis * _NS_PER_MILLISECOND, now_ns)
