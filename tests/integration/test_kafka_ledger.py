"""What is committed can be found again, and only by whom the partitions belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.kafka_topics import Topics, call_halves
from tests.waiting import WAIT_SECONDS, eventually
from whence.collector.kafka import journal
from whence.collector.kafka.clients import ensure_topics, make_consumer, make_producer
from whence.collector.kafka.journal import Checkpoint, parse_pointer
from whence.collector.kafka.ledger import Ledger
from whence.collector.kafka.share import Cut
from whence.collector.kafka.sources import Content, KafkaOptions, Partition
from whence.otlp import DecodeLimits, Encoding, decode_traces


class Member(NamedTuple):
    """A consumer with its partition, and what proves that it has it."""

    consumer: Consumer
    ledger: Ledger
    membership: Any


@pytest.fixture
def options(kafka_address: str) -> KafkaOptions:
    topics = Topics(kafka_address)
    topic = topics.make("spans_proto")
    options = KafkaOptions(
        bootstrap=kafka_address,
        topics={topic: Content.SPANS_PROTO},
        group=f"group-{topics.tag}",
        dead_letters=topics.dead_letters,
        journal=f"journal-{topics.tag}",
        commit_seconds=1,
        client={},
    )
    ensure_topics(options)
    return options


@pytest.fixture
def partition(options: KafkaOptions) -> Partition:
    return Partition(next(iter(options.topics)), 0)


@pytest.fixture
def join(options: KafkaOptions) -> Iterator[Callable[[], Member]]:
    """Makes members of the group, each with the partition once it was assigned to it."""
    consumers: list[Consumer] = []

    def make() -> Member:
        consumer = make_consumer(options)
        consumers.append(consumer)
        memberships: list[Any] = []
        consumer.subscribe(
            list(options.topics), on_assign=lambda one, _: memberships.append(one.consumer_group_metadata())
        )
        assert eventually(lambda: consumer.poll(0.1) or memberships)
        return Member(consumer, Ledger(options, make_producer(options)), memberships[-1])

    yield make
    for consumer in consumers:
        consumer.close()


def some_checkpoint() -> Checkpoint:
    body, _ = call_halves(bytes([1] * 16))
    return Checkpoint(unkeyed=tuple(decode_traces(body, Encoding.PROTOBUF, limits=DecodeLimits(), now_ns=0).spans))


def committed(member: Member, partition: Partition) -> TopicPartition:
    (found,) = member.ledger.committed(member.consumer, [TopicPartition(*partition)])
    return found


def test_checkpoint_of_many_chunks_is_found_by_what_was_committed_beside_the_offset(
    join: Callable[[], Member], partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "CHUNK_BYTES", 10)
    member = join()
    before = some_checkpoint()
    member.ledger.commit(Cut({partition: 7}, {partition: before}), [], member.membership)
    member.ledger.commit(Cut({partition: 8}, {partition: before}), [], member.membership)
    place = committed(member, partition)
    pointer = parse_pointer(place.metadata)
    assert place.offset == 8
    assert pointer is not None
    assert pointer.chunks > 3
    assert pointer.offset > 3
    assert member.ledger.checkpoint(place) == before


def test_cut_without_anything_open_leaves_nothing_to_find(join: Callable[[], Member], partition: Partition) -> None:
    member = join()
    member.ledger.commit(Cut({partition: 7}, {partition: some_checkpoint()}), [], member.membership)
    member.ledger.commit(Cut({partition: 9}, {}), [], member.membership)
    place = committed(member, partition)
    assert place.offset == 9
    assert member.ledger.checkpoint(place) == Checkpoint()


def test_consumer_that_lost_its_partition_is_refused(join: Callable[[], Member], partition: Partition) -> None:
    former = join()
    former.consumer.unsubscribe()
    assert eventually(lambda: former.consumer.poll(0.1) or not former.consumer.assignment())
    successor = join()
    successor.ledger.commit(Cut({partition: 5}, {}), [], successor.membership)
    with pytest.raises(KafkaException):
        former.ledger.commit(Cut({partition: 3}, {partition: some_checkpoint()}), [], former.membership)
    assert committed(successor, partition).offset == 5


def test_journal_that_does_not_reach_back_is_told_from_an_empty_one(
    join: Callable[[], Member], partition: Partition, options: KafkaOptions
) -> None:
    member = join()
    member.ledger.commit(Cut({partition: 7}, {partition: some_checkpoint()}), [], member.membership)
    place = committed(member, partition)
    pointer = parse_pointer(place.metadata)
    assert pointer is not None
    emptied = TopicPartition(options.journal, pointer.partition, pointer.offset + 1)
    admin = AdminClient({"bootstrap.servers": options.bootstrap})
    for future in admin.delete_records([emptied]).values():
        future.result(WAIT_SECONDS)
    assert member.ledger.checkpoint(place) is None
