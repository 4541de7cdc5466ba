"""Tenants: each has its own store, spool, receivers and API, and knows only its own tokens.

So what keeps them apart is not a condition in every query but that there is nothing else in reach. A request belongs
to the tenant of its token; one without a token, or with one that nobody knows, to the nameless one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from whence.accepted import Tokens
from whence.api.app import create_app
from whence.api.outbox import Outbox
from whence.api.telling import tell_what_waits
from whence.api.watching import fetch_declarations, watch
from whence.collector.ingest import Ingest
from whence.collector.receivers import Metered, Receivers
from whence.errors import ConfigError
from whence.main.parts import database_of, kafka_receiver, make_compaction, open_store, start_ingest
from whence.settings import Settings
from whence.ui.api_client import authorization_of

GRACE_SECONDS = 5
NAMELESS = ""
"""The tenant of all tokens that name none; it alone reads from Kafka, and gets webhooks that are signed only."""


class Tenant:
    """One tenant's whole, on no port of its own."""

    ingest: Ingest
    api: FastAPI

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._store = open_store(settings, name)
        self._to_stop = contextlib.AsyncExitStack()
        """What to do at the stop, in the reverse of this order."""
        self._outbox = Outbox()
        self._watches: list[asyncio.Task[None]] = []

    async def start(self, *more: Metered) -> None:
        """Open the store, replay the spool, and be ready for requests; ``more`` are numbers to show with its own."""
        settings, store = self._settings, self._store
        self._to_stop.push_async_callback(store.close)
        self._to_stop.push_async_callback(self._drain)
        await store.open()
        self.ingest = await start_ingest(settings, store)
        self._to_stop.push_async_callback(self.ingest.stop)
        kafka = kafka_receiver(settings, store) if self._name == NAMELESS else None
        compaction = make_compaction(settings, store)
        fetched = [one for one in (kafka, compaction) if one is not None]
        receivers = Receivers(self.ingest, *more, *fetched)
        tokens = settings.accepted_tokens(self._name)
        self.api = create_app(store=store, settings=settings, ingest=receivers, clock=time.time_ns, tokens=tokens)
        context = self.api.state.context
        self._outbox = context.outbox
        await tell_what_waits(context)
        if kafka is not None:
            kafka.start()
            self._to_stop.push_async_callback(kafka.stop)
        jobs = {"watch": watch(context), "fetch_declarations": fetch_declarations(context)}
        if compaction is not None:
            jobs["compaction"] = compaction.run_forever()
        self._watches = [asyncio.create_task(job, name=f"whence-{what}") for what, job in jobs.items()]

    def rest(self) -> None:
        """Do nothing more unasked."""
        for job in self._watches:
            job.cancel()

    async def stop(self) -> None:
        """Write what is folded, send what waits, close the store."""
        self.rest()
        await self._to_stop.aclose()

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._outbox.drained(), GRACE_SECONDS)


class Tenants:
    """All tenants of a process; an ASGI application that hands each request to its tenant's API."""

    def __init__(self, settings: Settings, tokens: Tokens, rates: Metered) -> None:
        """``tokens`` are those of all; ``rates`` are numbers of the whole process, which the nameless tenant shows."""
        self._settings = settings
        self._tokens = tokens
        self._rates = rates
        self._running: dict[str, Tenant] = {}
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Start the nameless one, those that have tokens, and those of before, whose spools may hold something.

        Raises:
            ConfigError: One can't start; the message says what to do.
        """
        named = {token.tenant for token in self._tokens.known()}
        before = {folder.name for folder in self._settings.tenants_dir.glob("*") if folder.is_dir()}
        for name in sorted({NAMELESS, *named, *before}):
            await self.of(name)

    @property
    def engine(self) -> str:
        """Name of the engine that reads and folds spans; empty before the start."""
        nameless = self._running.get(NAMELESS)
        return "" if nameless is None else nameless.ingest.engine.name

    async def of(self, name: str) -> Tenant:
        """A tenant, started if it is new: the file of tokens may name one at any time."""
        if name not in self._running:
            async with self._starting:
                if name not in self._running:
                    self._running[name] = await self._started(name)
        return self._running[name]

    async def ingest_of(self, name: str) -> Ingest:
        """What takes a tenant's requests."""
        return (await self.of(name)).ingest

    def rest(self) -> None:
        """Let none of them do anything more unasked."""
        for tenant in self._running.values():
            tenant.rest()

    async def stop(self) -> None:
        """Stop all."""
        await asyncio.gather(*(tenant.stop() for tenant in self._running.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        grant = self._tokens.granted_by(authorization_of(HTTPConnection(scope)))
        tenant = await self.of(NAMELESS if grant is None else grant.tenant)
        await tenant.api(scope, receive, send)

    async def _started(self, name: str) -> Tenant:
        tenant = Tenant(name, self._settings.of_tenant(name))
        try:
            await tenant.start(*[self._rates] if name == NAMELESS else [])
        except BaseException as error:
            await tenant.stop()
            if name and isinstance(error, ConfigError):
                raise ConfigError(f"tenant {name}: {error}{self._advice(name)}") from None
            raise
        return tenant

    def _advice(self, name: str) -> str:
        if not self._settings.store:
            return ""
        return (
            f" (a tenant needs a database of its own: CREATE DATABASE `{database_of(name)}`; Neo4j Community has one)"
        )
