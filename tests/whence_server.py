"""A real ``whence serve`` in a process of its own, for tests that talk over the wire."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

START_SECONDS = 60


@dataclass
class WhenceServer:
    """Addresses of a running server, and the handle to stop or kill it. It can be started again on the same data."""

    data_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """Words before the command, such as ``taskset -c 0``."""
    verify: ssl.SSLContext | None = None
    """What to ask it with when it speaks TLS."""

    def __post_init__(self) -> None:
        self.api_port, self.otlp_http_port, self.otlp_grpc_port = free_ports(3)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.data_dir.parent / f"{self.data_dir.name}.log"

    @property
    def _scheme(self) -> str:
        return "http" if self.verify is None else "https"

    @property
    def api(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.api_port}"

    @property
    def otlp_http(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.otlp_http_port}"

    @property
    def otlp_grpc(self) -> str:
        return f"127.0.0.1:{self.otlp_grpc_port}"

    def start(self) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WHENCE_")},
            "WHENCE_API_PORT": str(self.api_port),
            "WHENCE_OTLP_HTTP_PORT": str(self.otlp_http_port),
            "WHENCE_OTLP_GRPC_PORT": str(self.otlp_grpc_port),
            "WHENCE_DATA_DIR": str(self.data_dir),
            **self.environment,
        }
        with self.log.open("ab") as log:
            command = [*self.prefix, sys.executable, "-m", "whence.cli", "serve"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self._wait_until_ready()

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.api}/readyz", timeout=2, verify=self.verify or True).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"whence did not start:\n{self.log.read_text()[-3000:]}")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def running_whence(data_dir: Path, **environment: str) -> Iterator[WhenceServer]:
    server = WhenceServer(data_dir, environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()
