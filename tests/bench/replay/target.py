"""A running whence: one that is started here on free ports and an empty data directory, or one given by address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

SENDERS = 2
"""Requests under way at once, as from two collectors."""
START_SECONDS = 120.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.1
SETTLE_SECONDS = 300.0
_RETRYABLE = frozenset({429, 502, 503, 504})
_TRIES = 20
_LOG_TAIL_CHARS = 2_000
_SETTINGS = {"WHENCE_TRACE_IDLE_SECONDS": "5", "WHENCE_FLUSH_SECONDS": "0.5"}
"""Four minutes pass in one or two seconds here, so open traces are given up sooner than by default."""
STARTED_QUIET_SECONDS = 1.5
GIVEN_QUIET_SECONDS = 5.0
"""Longer than two flushes, of a server started here and of one with default settings."""
_WAITING = ("open_spans", "queued_bytes", "unflushed_rows")
"""Parts of the names of numbers that are zero once nothing waits."""
_LATE = "late_traces"
_SHOWN = ("whence_store_rows", "whence_fold", "whence_queued", "whence_unflushed", "whence_open")


class Settled(NamedTuple):
    """How the wait for the store ended."""

    seconds: float
    """Without the quiet that proves that it is over."""
    late_traces: int
    """Traces that were given up too early, because this machine was too busy; their counts are off."""


class Target:
    """Client of one server."""

    def __init__(self, api: str, otlp: str, quiet_seconds: float, data_dir: Path | None = None) -> None:
        self.data_dir = data_dir
        """Where an embedded store lies that may be read once it is settled; None for a server given by address."""
        self._otlp = otlp
        self._quiet_seconds = quiet_seconds
        self._client = httpx.Client(base_url=api, timeout=60, trust_env=False)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def send(self, path: str, bodies: Iterable[bytes]) -> None:
        """Post OTLP requests (``/v1/traces``, ``/v1/logs``), resending what the server asks to be resent."""
        headers = {"Content-Type": "application/x-protobuf"}
        with ThreadPoolExecutor(SENDERS) as pool:
            posts = pool.map(lambda body: self._post(f"{self._otlp}{path}", content=body, headers=headers), bodies)
            for _ in posts:
                pass

    def post(self, path: str, document: object) -> Any:
        """Post a JSON document to the API; the decoded answer, None where there is no content."""
        response = self._post(path, json=document)
        return response.json() if response.content else None

    def settle(self) -> Settled:
        """Wait until all that was sent is stored: nothing waits, and no number has moved for a while.

        Raises:
            TimeoutError: That isn't so after ``SETTLE_SECONDS``.
        """
        began = last_change = time.monotonic()
        seen: dict[str, float] = {}
        while time.monotonic() - last_change < self._quiet_seconds:
            numbers = self._numbers()
            if numbers != seen or _sum(numbers, *_WAITING):
                seen, last_change = numbers, time.monotonic()
            if time.monotonic() - began > SETTLE_SECONDS:
                raise TimeoutError(f"the store still changes after {SETTLE_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)
        return Settled(last_change - began, int(_sum(seen, _LATE)))

    def is_ready(self) -> bool:
        """Whether all ports serve."""
        try:
            return self._client.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _numbers(self) -> dict[str, float]:
        """Samples of ``/metrics`` that tell how far it is."""
        lines = self._client.get("/metrics").raise_for_status().text.splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if line.startswith(_SHOWN))
        return {name: float(value) for name, value in samples}

    def _post(self, url: str, **arguments: Any) -> httpx.Response:
        for _ in range(_TRIES):
            response = self._client.post(url, **arguments)
            if response.status_code not in _RETRYABLE:
                break
            time.sleep(float(response.headers.get("Retry-After", 1)))
        if response.is_error:
            raise RuntimeError(f"{url} answered {response.status_code}: {response.text[:500]}")
        return response


@contextmanager
def started_server() -> Iterator[Target]:
    """A fresh ``whence serve`` with an empty data directory, stopped and forgotten on exit.

    Raises:
        RuntimeError: It did not become ready; carries the end of its log.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="whence-replay-")))
        api_port, http_port, grpc_port = _free_ports(3)
        settings = {
            "WHENCE_API_PORT": str(api_port),
            "WHENCE_OTLP_HTTP_PORT": str(http_port),
            "WHENCE_OTLP_GRPC_PORT": str(grpc_port),
            "WHENCE_DATA_DIR": str(folder / "data"),
        }
        log = folder / "serve.log"
        process = stack.enter_context(_process({**settings, **_SETTINGS}, log))
        api, otlp = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{http_port}"
        target = Target(api, otlp, STARTED_QUIET_SECONDS, folder / "data")
        stack.callback(target.close)
        _wait_until_ready(target, process, log)
        yield target


@contextmanager
def given_server(api: str, otlp: str) -> Iterator[Target]:
    """A server that runs already."""
    target = Target(api, otlp, GIVEN_QUIET_SECONDS)
    try:
        yield target
    finally:
        target.close()


def _sum(numbers: Mapping[str, float], *parts: str) -> float:
    return sum(value for name, value in numbers.items() if any(part in name for part in parts))


@contextmanager
def _process(settings: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(Path(sys.executable).with_name("whence")), "serve"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WHENCE_")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**inherited, **settings}, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(target: Target, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not target.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL_CHARS:]
            raise RuntimeError(f"whence serve did not become ready:\n{tail}")
        time.sleep(POLL_SECONDS)


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
