"""The parts of one tenant, made from the settings."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from whence.api.records import change_record, lineage_record
from whence.collector.compaction import Compaction
from whence.collector.engine import Engine
from whence.collector.engines import FoldOptions, make_engine
from whence.collector.flusher import Flusher
from whence.collector.ingest import Ingest, IngestLimits
from whence.collector.recovery import recover
from whence.collector.redelivery import Taken
from whence.collector.spool import Spool
from whence.errors import ConfigError
from whence.otlp import DecodeLimits
from whence.settings import Settings
from whence.store.protocol import Compactable, Store

if TYPE_CHECKING:
    from whence.collector.kafka.receiver import KafkaReceiver

_NS = 1_000_000_000


def open_store(settings: Settings, tenant: str = "") -> Store:
    """The store that the settings name, in Neo4j a database for each tenant that has a name.

    Its driver is imported only when it is the one.
    """
    if not settings.store:
        from whence.store.embedded import EmbeddedStore

        return EmbeddedStore(settings.data_dir / "whence.db")
    from whence.store.bolt import BoltStore

    password = settings.store_password.get_secret_value()
    return BoltStore(settings.store, user=settings.store_user, password=password, database=database_of(tenant))


def database_of(tenant: str) -> str | None:
    """Name of a tenant's database; the nameless one has the user's home database."""
    return f"whence-{tenant}" if tenant else None


async def start_ingest(settings: Settings, store: Store) -> Ingest:
    """The ingest loop, running, with what the spool still held."""
    engine = make_engine(settings.engine, _fold_options(settings), _decode_limits(settings))
    spool = Spool(settings.data_dir / "spool")
    flusher = Flusher(store)
    taken = Taken()
    await asyncio.to_thread(recover, spool.segments(), engine, flusher, taken)
    limits = IngestLimits(
        queue_max_bytes=settings.queue_max_bytes,
        spool_max_bytes=settings.spool_max_bytes,
        flush_seconds=settings.flush_seconds,
    )
    ingest = Ingest(engine, spool, flusher, taken, limits, clock=time.time_ns, new_writer=_writer_names().__next__)
    await ingest.start()
    return ingest


def make_compaction(settings: Settings, store: Store) -> Compaction | None:
    """What keeps old counts in wider buckets, if it is asked for."""
    ages = settings.compaction_ages
    if not ages:
        return None
    if not isinstance(store, Compactable):
        raise ConfigError("WHENCE_HOURS_AFTER_DAYS and WHENCE_DAYS_AFTER_DAYS work with the embedded store only")
    return Compaction(store, ages, clock=time.time_ns)


def kafka_receiver(settings: Settings, store: Store) -> KafkaReceiver | None:
    """The consumer, not yet started, if brokers are named; its client is imported only then."""
    if not settings.kafka_bootstrap:
        return None
    if find_spec("confluent_kafka") is None:
        raise ConfigError("WHENCE_KAFKA_BOOTSTRAP: reading from Kafka needs its client: pip install 'whence[kafka]'")
    from whence.collector.kafka.receiver import KafkaReceiver
    from whence.collector.kafka.session import KafkaParts
    from whence.collector.kafka.sources import Content, KafkaOptions

    options = KafkaOptions(
        bootstrap=settings.kafka_bootstrap,
        topics={topic: Content(content) for topic, content in settings.parsed_kafka_topics.items()},
        group=settings.kafka_group,
        dead_letters=settings.kafka_dead_letters,
        journal=settings.kafka_journal,
        commit_seconds=settings.kafka_commit_seconds,
        client=settings.parsed_kafka_client,
    )
    parts = KafkaParts(
        options=options,
        make_engine=partial(_engine_of_many, settings),
        new_writer=_writer_names().__next__,
        flusher=Flusher(store),
        events={Content.OPENLINEAGE: lineage_record, Content.CHANGES: partial(change_record, store)},
        clock=time.time_ns,
        loop=asyncio.get_running_loop(),
    )
    return KafkaReceiver(parts)


def _engine_of_many(settings: Settings, count: int) -> Engine:
    """One of so many engines that together hold no more than one may."""
    fold = _fold_options(settings)
    fewer = replace(fold, max_open_spans=max(1000, fold.max_open_spans // count))
    return make_engine(settings.engine, fewer, _decode_limits(settings))


def _fold_options(settings: Settings) -> FoldOptions:
    return FoldOptions(
        bucket_s=settings.bucket_seconds,
        idle_ns=round(settings.trace_idle_seconds * _NS),
        ttl_ns=round(settings.trace_ttl_seconds * _NS),
        max_open_spans=settings.max_open_spans,
    )


def _decode_limits(settings: Settings) -> DecodeLimits:
    return DecodeLimits(max_body_bytes=settings.max_body_bytes)


def _writer_names() -> Iterator[str]:
    """Unique names of spool segments; they end in the time at which counting began, which is when it was known."""
    process = f"{socket.gethostname()[:40]}-{secrets.token_hex(4)}"
    number = 0
    while True:
        number += 1
        yield f"{process}-{number}-{time.time_ns() // _NS}"
