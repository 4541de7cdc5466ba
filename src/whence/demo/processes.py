"""Child processes that live no longer than the demo."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import httpx

_START_SECONDS = 90.0
_STOP_SECONDS = 5.0
_LOG_TAIL_LINES = 15
_OURS = ("OTEL_", "WHENCE_", "PYTHONDONTWRITEBYTECODE")
"""Variables that the children don't inherit."""


class ProcessFailed(RuntimeError):
    """A process ended or did not come up; the message holds the end of its log."""


class Process(NamedTuple):
    """A child and where its output goes."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path


class Fleet:
    """Starts processes in sessions of their own: Ctrl-C reaches the demo alone, which stops them in order."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Process] = []
        self._inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        if sys.dont_write_bytecode:
            # A dozen processes that each compile all their packages would take minutes.
            self._inherited["PYTHONPYCACHEPREFIX"] = str(logs.parent / "bytecode")
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, arguments: list[str], environ: Mapping[str, str]) -> Process:
        """Run this Python with some arguments; variables of OpenTelemetry and whence come from ``environ`` only."""
        log = self._logs / f"{name}-{len(list(self._logs.iterdir()))}.log"
        with log.open("wb") as output, held_back():
            child = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, *arguments],
                env={**self._inherited, **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            process = Process(name, child, log)
            self._running.append(process)
        return process

    def finish(self, process: Process) -> None:
        """Wait until a process that ends by itself has done so.

        Raises:
            ProcessFailed: It failed, or takes too long.
        """
        try:
            status = process.child.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            raise ProcessFailed(_explain(process, "did not end")) from None
        self._running.remove(process)
        if status:
            raise ProcessFailed(_explain(process, f"ended with status {status}"))

    def stop(self, *processes: Process) -> None:
        """Ask processes to stop, and kill those that don't within a few seconds."""
        for process in processes:
            process.child.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in processes:
            try:
                process.child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.child.kill()
                process.child.wait()
            self._running.remove(process)

    def close(self) -> None:
        """Stop everything, the latest started first. Safe to call twice."""
        self.stop(*reversed(self._running))


def wait_ready(process: Process, url: str) -> None:
    """Wait until an address answers with success.

    Raises:
        ProcessFailed: The process ended first, or it takes too long.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.child.poll() is not None:
            raise ProcessFailed(_explain(process, f"ended with status {process.child.returncode}"))
        try:
            if httpx.get(url, timeout=1).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise ProcessFailed(_explain(process, "did not come up"))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore requests to stop: who cleans up for some seconds must not be made to leave half of it behind."""
    with _handling(signal.SIG_IGN):
        yield


@contextmanager
def held_back() -> Iterator[None]:
    """Let a request to stop wait until the end of the block: a child that was started must be known before it comes."""
    came: list[int] = []
    try:
        with _handling(lambda number, _frame: came.append(number)):
            yield
    finally:
        for number in came[:1]:
            signal.raise_signal(number)


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    previous = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, usual in previous.items():
            signal.signal(number, usual)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on right now, all different."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [int(holder.getsockname()[1]) for holder in holders]
    finally:
        for holder in holders:
            holder.close()


def _explain(process: Process, what: str) -> str:
    tail = process.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    return "\n  ".join([f"{process.name} {what}", *tail])
