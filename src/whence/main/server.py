"""Three ports in one process and one event loop, until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import Any

import grpc.aio
import uvicorn

from whence.collector.gate import Gate
from whence.collector.grpc import create_server
from whence.collector.http import OtlpHttpApp
from whence.collector.rates import Rates
from whence.errors import ConfigError
from whence.main.tenants import GRACE_SECONDS, Tenants
from whence.settings import Settings
from whence.tls import Tls


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
    """All of whence in one process: three ports, and what stands behind them for each tenant."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._rates = Rates(settings.token_bytes_per_second)
        self._tokens = settings.accepted_tokens()
        self._tenants = Tenants(settings, self._tokens, self._rates)
        self._grpc: grpc.aio.Server | None = None
        self._http: list[_QuietServer] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def engine(self) -> str:
        """Name of the engine that reads and folds spans; empty before the start."""
        return self._tenants.engine

    async def start(self) -> None:
        """Open the stores, replay the spools, and serve on all ports; ``/readyz`` answers 200 on return."""
        settings, tls = self.settings, self.settings.tls
        gate = Gate(self._tokens, self._rates)
        if tls is not None:
            tls.check()
        await self._tenants.start()
        ingest_of, limit = self._tenants.ingest_of, settings.max_body_bytes
        address = f"{settings.host}:{settings.otlp_grpc_port}"
        self._grpc = create_server(ingest_of, address=address, max_body_bytes=limit, gate=gate, tls=tls)
        await self._grpc.start()
        otlp = OtlpHttpApp(ingest_of, max_body_bytes=limit, gate=gate)
        await self._listen(otlp, settings.otlp_http_port, "OTLP over HTTP")
        await self._listen(self._tenants, settings.api_port, "the API")

    async def stop(self) -> None:
        """Refuse new requests, finish those under way, write what is folded, send what waits, close the stores."""
        self._tenants.rest()
        for server in self._http:
            server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._grpc is not None:
            await self._grpc.stop(GRACE_SECONDS)
        await self._tenants.stop()

    async def _listen(self, app: Any, port: int, what: str) -> None:
        bound = _bind(self.settings.host, port, what)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=GRACE_SECONDS,
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
