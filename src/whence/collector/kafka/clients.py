"""The clients of librdkafka, set up so that nothing is skipped or committed behind our back."""

from __future__ import annotations

import logging
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from whence.collector.kafka.sources import KafkaOptions

log = logging.getLogger("whence.collector")

TIMEOUT_SECONDS = 30.0
"""For one call to the brokers. Longer than a transaction may live, since a successor waits for a dead one's end."""
_REACH_SECONDS = 3.0
"""For the first answer of a broker: short, since it is asked again and again, and whence may have to stop meanwhile."""
_JOURNAL_DAYS = 7
"""As long as brokers keep the offsets of a group by default; without these the journal is of no use."""

_Config = dict[str, str | int | float | bool]

_DEFAULTS: _Config = {
    "client.id": "whence",
    "log_level": 3,
    # A successor takes over once both are over.
    "session.timeout.ms": 15_000,
    "transaction.timeout.ms": 15_000,
    "queued.max.messages.kbytes": 16 * 1024,
    "compression.type": "lz4",
    "linger.ms": 5,
}
"""What an operator may set otherwise. Each kind of client takes what concerns it."""


def make_consumer(options: KafkaOptions) -> Consumer:
    """A member of the group, not yet subscribed.

    Assignment is eager: all partitions are given back before any is given out, so what one assignment folded can be
    thrown away whole.
    """
    return Consumer(
        _config(options)
        | {
            "group.id": options.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "partition.assignment.strategy": "range,roundrobin",
        }
    )


def make_journal_reader(options: KafkaOptions) -> Consumer:
    """A consumer outside of any group; where it is sent to and nothing lies there, it says so."""
    return Consumer(
        _config(options)
        | {
            "group.id": f"{options.group}-journal",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
        }
    )


def make_producer(options: KafkaOptions) -> Producer:
    """A producer of transactions. What ties it to the group's generation is the group's metadata, not its name."""
    producer = Producer(
        _config(options)
        | {
            "transactional.id": f"{options.group}-{uuid.uuid4()}",
        }
    )
    producer.init_transactions(TIMEOUT_SECONDS)
    return producer


def ensure_topics(options: KafkaOptions) -> None:
    """Create the topics that only we write to, where they are missing and we may.

    Raises:
        KafkaException: The brokers can't be reached.
    """
    admin = AdminClient(_config(options))
    present = admin.list_topics(timeout=_REACH_SECONDS).topics
    journal = NewTopic(options.journal, config={"retention.ms": str(_JOURNAL_DAYS * 86_400_000)})
    missing = [topic for topic in (journal, NewTopic(options.dead_letters)) if topic.topic not in present]
    for name, future in admin.create_topics(missing, request_timeout=TIMEOUT_SECONDS).items() if missing else ():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                log.warning("the topic %s can't be created, so somebody has to: %s", name, error)


def _config(options: KafkaOptions) -> _Config:
    return {**_DEFAULTS, **options.client, "bootstrap.servers": options.bootstrap}
