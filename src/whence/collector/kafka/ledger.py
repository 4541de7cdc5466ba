"""Cuts in Kafka: journal, dead letters and offsets in one transaction; and from an offset back to its journal."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from whence.collector.kafka.clients import TIMEOUT_SECONDS, make_journal_reader
from whence.collector.kafka.journal import (
    Checkpoint,
    Pointer,
    decode_checkpoint,
    encode_checkpoint,
    parse_pointer,
)
from whence.collector.kafka.letters import Letter
from whence.collector.kafka.share import Cut
from whence.collector.kafka.sources import KafkaOptions, Partition
from whence.errors import DecodeError

log = logging.getLogger("whence.collector")


class Ledger:
    """What one consumer commits, and what those before it did. Calls block; one thread uses it."""

    def __init__(self, options: KafkaOptions, producer: Producer) -> None:
        self._options = options
        self._producer = producer

    def commit(self, cut: Cut, letters: Sequence[Letter], membership: Any) -> None:
        """Commit a cut and its dead letters, all or nothing.

        Args:
            cut: Offsets, and what follows from what lies before them.
            letters: Records before those offsets that nothing can be made of.
            membership: The ``consumer_group_metadata()`` with which the partitions were assigned; the broker refuses
                it once they are another's.

        Raises:
            KafkaException: Nothing is committed, or it can't be known; what was folded must be thrown away.
        """
        self._producer.begin_transaction()
        try:
            pointers = self._write(cut, letters)
            offsets = [
                TopicPartition(*partition, offset, str(pointers.get(partition, "")))
                for partition, offset in cut.offsets.items()
            ]
            self._producer.send_offsets_to_transaction(offsets, membership, TIMEOUT_SECONDS)
            self._producer.commit_transaction(TIMEOUT_SECONDS)
        except KafkaException:
            with contextlib.suppress(KafkaException):
                self._producer.abort_transaction(TIMEOUT_SECONDS)
            raise

    def committed(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """Offsets and metadata that were committed; waits for the end of a dead consumer's transaction."""
        found = consumer.committed(list(partitions), timeout=TIMEOUT_SECONDS)
        for one in found:
            if one.error is not None:
                raise KafkaException(one.error)
        return found

    def checkpoint(self, place: TopicPartition) -> Checkpoint | None:
        """The checkpoint beside a committed offset; None when there was one and it is gone or can't be read."""
        pointer = parse_pointer(place.metadata)
        if pointer is None:
            return Checkpoint()
        try:
            return decode_checkpoint(self._read(pointer, self._key(Partition(place.topic, place.partition))))
        except DecodeError:
            log.exception("what was open in %s is lost", place)
            return None

    def _write(self, cut: Cut, letters: Sequence[Letter]) -> dict[Partition, Pointer]:
        delivered: list[Message] = []
        failed: list[KafkaError] = []

        def note(error: KafkaError | None, message: Message) -> None:
            failed.append(error) if error is not None else delivered.append(message)

        sizes = {}
        for partition, checkpoint in cut.checkpoints.items():
            chunks = encode_checkpoint(checkpoint)
            sizes[self._key(partition)] = (partition, len(chunks))
            for chunk in chunks:
                self._produce(self._options.journal, chunk, self._key(partition), on_delivery=note)
        for letter in letters:
            self._produce(self._options.dead_letters, letter.value, letter.key, headers=letter.headers)
        left = self._producer.flush(TIMEOUT_SECONDS)
        if failed or left:
            raise KafkaException(failed[0] if failed else KafkaError(KafkaError._MSG_TIMED_OUT))
        return _pointers(delivered, sizes)

    def _produce(self, topic: str, value: bytes | None, key: bytes | None, **more: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, **more)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _read(self, pointer: Pointer, key: bytes) -> list[bytes]:
        """The chunks of a checkpoint.

        Raises:
            DecodeError: They are not there any more.
            KafkaException: The brokers can't be reached.
        """
        reader = make_journal_reader(self._options)
        try:
            reader.assign([TopicPartition(self._options.journal, pointer.partition, pointer.offset)])
            return _take_chunks(reader, pointer, key)
        finally:
            reader.close()

    def _key(self, partition: Partition) -> bytes:
        return f"{self._options.group}/{partition.topic}/{partition.number}".encode()


def _pointers(delivered: list[Message], sizes: dict[bytes, tuple[Partition, int]]) -> dict[Partition, Pointer]:
    """Where each checkpoint begins: at the first of its chunks, which arrived in order."""
    pointers: dict[Partition, Pointer] = {}
    for message in delivered:
        partition, chunks = sizes[message.key() or b""]
        pointers.setdefault(partition, Pointer(message.partition() or 0, message.offset() or 0, chunks))
    return pointers


def _take_chunks(reader: Consumer, pointer: Pointer, key: bytes) -> list[bytes]:
    chunks: list[bytes] = []
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while len(chunks) < pointer.chunks:
        if time.monotonic() > deadline:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        message = reader.poll(0.5)
        if message is None:
            continue
        error = message.error()
        if error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise DecodeError("the journal does not reach back so far")
        if error is not None:
            raise KafkaException(error)
        if (message.offset() or 0) != pointer.offset and not chunks:
            raise DecodeError("the journal has something else where it should begin")
        if message.key() == key:
            chunks.append(message.value() or b"")
    return chunks
