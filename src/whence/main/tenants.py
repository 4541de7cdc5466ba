"""Tenants: each has its own store, spool, receivers and API, and knows only its own tokens.

So what keeps them apart is not a condition in every query but that there is nothing else in reach. A request belongs
to the tenant of its token; one without a token, or with one that nobody knows, to the nameless one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from whence.accepted import Tokens
from whence.api.app import create_app
from whence.api.telling import tell_what_waits
from whence.api.watching import fetch_declarations, watch
from whence.collector.ingest import Ingest
from whence.collector.receivers import Metered, Receivers
from whence.errors import ConfigError
from whence.main.parts import database_of, kafka_receiver, make_compaction, open_store, start_ingest
from whence.settings import Settings
from whence.ui.api_client import TOKEN_COOKIE

if TYPE_CHECKING:
    from whence.collector.kafka.receiver import KafkaReceiver

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
        self._kafka: KafkaReceiver | None = None
        self._watches: list[asyncio.Task[None]] = []

    async def start(self, *more: Metered) -> None:
        """Open the store, replay the spool, and be ready for requests; ``more`` are numbers to show with its own."""
        settings, store = self._settings, self._store
        await store.open()
        self.ingest = await start_ingest(settings, store)
        self._kafka = kafka = kafka_receiver(settings, store) if self._name == NAMELESS else None
        compaction = make_compaction(settings, store)
        fetched = [one for one in (kafka, compaction) if one is not None]
        receivers = Receivers(self.ingest, *more, *fetched)
        tokens = settings.accepted_tokens(self._name)
        self.api = create_app(store=store, settings=settings, ingest=receivers, clock=time.time_ns, tokens=tokens)
        context = self.api.state.context
        await tell_what_waits(context)
        if kafka is not None:
            kafka.start()
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
        if self._kafka is not None:
            await self._kafka.stop()
        if hasattr(self, "ingest"):
            await self.ingest.stop()
        if hasattr(self, "api"):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.api.state.context.outbox.drained(), GRACE_SECONDS)
        await self._store.close()


class Tenants:
    """All tenants of a process; an ASGI application that hands each request to its tenant's API."""

    def __init__(self, settings: Settings, *shared: Metered) -> None:
        """``shared`` are numbers of the whole process, which the nameless tenant shows."""
        self._settings = settings
        self._shared = shared
        self._tokens: Tokens = settings.accepted_tokens()
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
        tenant = await self.of(self._named_by(Headers(scope=scope)) if scope["type"] == "http" else NAMELESS)
        await tenant.api(scope, receive, send)

    def _named_by(self, headers: Headers) -> str:
        if not self._tokens:
            return NAMELESS
        grants = (self._tokens.granted(secret) for secret in _secrets(headers))
        return next((grant.tenant for grant in grants if grant is not None), NAMELESS)

    async def _started(self, name: str) -> Tenant:
        tenant = Tenant(name, self._settings.of_tenant(name))
        try:
            await tenant.start(*self._shared if name == NAMELESS else ())
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


def _secrets(headers: Headers) -> Iterable[str]:
    """What a program presents, or else a page's visitor."""
    scheme, secret = get_authorization_scheme_param(headers.get("authorization"))
    if scheme.lower() == "bearer":
        yield secret
    with contextlib.suppress(CookieError):
        cookie = SimpleCookie(headers.get("cookie", "")).get(TOKEN_COOKIE)
        if cookie is not None:
            yield cookie.value
