"""Composition root: settings to store, collector and API, in one process and one event loop.

Nothing is made at import. ``serve`` runs until a signal; ``Server`` is the same for callers that bring their own loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import secrets
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import grpc.aio
import uvicorn

from whence.api.app import create_app
from whence.api.outbox import Outbox
from whence.api.records import change_record, lineage_record
from whence.api.telling import tell_what_waits
from whence.api.watching import fetch_declarations, watch
from whence.collector.compaction import Compaction
from whence.collector.engine import Engine
from whence.collector.engines import FoldOptions, make_engine
from whence.collector.flusher import Flusher
from whence.collector.gate import Gate
from whence.collector.grpc import create_server
from whence.collector.http import OtlpHttpApp
from whence.collector.ingest import Ingest, IngestLimits
from whence.collector.rates import Rates
from whence.collector.receivers import Receivers
from whence.collector.recovery import recover
from whence.collector.redelivery import Taken
from whence.collector.spool import Spool
from whence.errors import ConfigError
from whence.otlp import DecodeLimits
from whence.settings import Settings
from whence.store.protocol import Compactable, Store
from whence.tls import Tls

if TYPE_CHECKING:
    from whence.collector.kafka.receiver import KafkaReceiver

log = logging.getLogger("whence")

_NS = 1_000_000_000
_GRACE_SECONDS = 5


def serve(settings: Settings) -> None:
    """Run whence until SIGINT or SIGTERM.

    Raises:
        ConfigError: It can't start as it is configured; the message says what to do.
    """
    look_for_garbage_rarely()
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(_serve_until_signal(settings))


def look_for_garbage_rarely() -> None:
    """Set how often this process looks for cycles.

    Spans and rows are tuples without cycles, and hundreds of thousands of them are alive: looking through them as often
    as Python does by default costs a quarter of the time.
    """
    gc.set_threshold(100_000, 50, 100)


class Server:
    """All of whence in one process: three ports, one store."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._store = open_store(settings)
        self._ingest: Ingest | None = None
        self._kafka: KafkaReceiver | None = None
        self._grpc: grpc.aio.Server | None = None
        self._http: list[_QuietServer] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._watches: list[asyncio.Task[None]] = []
        self._outbox = Outbox()

    @property
    def engine(self) -> str:
        """Name of the engine that reads and folds spans; empty before the start."""
        return "" if self._ingest is None else self._ingest.engine.name

    async def start(self) -> None:
        """Open the store, replay the spool, and serve on all ports; ``/readyz`` answers 200 on return."""
        settings = self.settings
        rates, tls = Rates(settings.token_bytes_per_second), settings.tls
        gate = Gate(settings.accepted_tokens(), rates)
        if tls is not None:
            tls.check()
        await self._store.open()
        self._ingest = ingest = await _start_ingest(settings, self._store)
        self._kafka = kafka = _kafka_receiver(settings, self._store)
        limit = settings.max_body_bytes
        self._grpc = create_server(
            ingest, address=f"{settings.host}:{settings.otlp_grpc_port}", max_body_bytes=limit, gate=gate, tls=tls
        )
        otlp = OtlpHttpApp(ingest, max_body_bytes=limit, gate=gate)
        compaction = _compaction(settings, self._store)
        receivers = Receivers(ingest, *(one for one in (rates, kafka, compaction) if one is not None))
        api = create_app(store=self._store, settings=settings, ingest=receivers, clock=time.time_ns)
        self._outbox = api.state.context.outbox
        await tell_what_waits(api.state.context)
        await self._grpc.start()
        await self._listen(otlp, settings.otlp_http_port, "OTLP over HTTP")
        await self._listen(api, settings.api_port, "the API")
        if kafka is not None:
            kafka.start()
        if compaction is not None:
            self._watches.append(asyncio.create_task(compaction.run_forever(), name="whence-compaction"))
        for job in (watch, fetch_declarations):
            self._watches.append(asyncio.create_task(job(api.state.context), name=f"whence-{job.__name__}"))

    async def stop(self) -> None:
        """Refuse new requests, finish those under way, write what is folded, send what waits, close the store."""
        for job in self._watches:
            job.cancel()
        for server in self._http:
            server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._grpc is not None:
            await self._grpc.stop(_GRACE_SECONDS)
        if self._kafka is not None:
            await self._kafka.stop()
        if self._ingest is not None:
            await self._ingest.stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._outbox.drained(), _GRACE_SECONDS)
        await self._store.close()

    async def _listen(self, app: Any, port: int, what: str) -> None:
        bound = _bind(self.settings.host, port, what)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
            **_secured(self.settings.tls),
        )
        server = _QuietServer(config)
        self._http.append(server)
        self._tasks.append(asyncio.create_task(server.serve(sockets=[bound]), name=f"whence-http-{port}"))
        while not server.started:  # noqa: ASYNC110  uvicorn tells it by this flag alone
            await asyncio.sleep(0.01)


def _secured(tls: Tls | None) -> dict[str, Any]:
    """Arguments of uvicorn."""
    if tls is None:
        return {}
    asked = {"ssl_ca_certs": str(tls.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED} if tls.client_ca else {}
    return {"ssl_certfile": tls.cert, "ssl_keyfile": tls.key, **asked}


def open_store(settings: Settings) -> Store:
    """The store that the settings name; Neo4j's driver is imported only when it is the one."""
    if not settings.store:
        from whence.store.embedded import EmbeddedStore

        return EmbeddedStore(settings.data_dir / "whence.db")
    from whence.store.bolt import BoltStore

    return BoltStore(settings.store, user=settings.store_user, password=settings.store_password.get_secret_value())


async def _start_ingest(settings: Settings, store: Store) -> Ingest:
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


def _compaction(settings: Settings, store: Store) -> Compaction | None:
    """What keeps old counts in wider buckets, if it is asked for."""
    ages = settings.compaction_ages
    if not ages:
        return None
    if not isinstance(store, Compactable):
        raise ConfigError("WHENCE_HOURS_AFTER_DAYS and WHENCE_DAYS_AFTER_DAYS work with the embedded store only")
    return Compaction(store, ages, clock=time.time_ns)


def _kafka_receiver(settings: Settings, store: Store) -> KafkaReceiver | None:
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


async def _serve_until_signal(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    server = Server(settings)
    try:
        await server.start()
        _announce(settings, server.engine)
        await stopped.wait()
    finally:
        await server.stop()


def _announce(settings: Settings, engine: str) -> None:
    where = settings.store or f"embedded, in {settings.data_dir}"
    scheme = "http" if settings.tls is None else "https"
    print(  # noqa: T201  the one thing that an operator looks for
        f"whence is ready: OTLP gRPC {settings.otlp_grpc_port}, OTLP HTTP {settings.otlp_http_port}, "
        f"API and pages {scheme}://{settings.host}:{settings.api_port} (store: {where}; engine: {engine})",
        file=sys.stderr,
        flush=True,
    )


class _QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: one process has three servers and one way to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(host: str, port: int, what: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ConfigError(f"can't listen for {what} on {host}:{port} ({error.strerror}); choose another port") from None
    return bound


def _fast_loop() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
