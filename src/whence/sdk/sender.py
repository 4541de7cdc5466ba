"""Posts small JSON bodies from one daemon thread: bounded in number, in tries and in the time it holds up an exit."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - urllib loads it late; a fork meanwhile breaks it for the child
import os
import queue
import threading
import time
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

from whence.sdk.guard import guarded, lose
from whence.sdk.leaving import on_leaving

MAX_WAITING = 64
_TRIES = 3
_TIMEOUT_SECONDS = 3.0
_PAUSE_SECONDS = 0.5
_RETRYABLE = frozenset({429, 502, 503, 504})


class Report(NamedTuple):
    """One body on its way."""

    url: str
    body: bytes
    token: str | None


class Sender:
    """A queue and the thread that empties it, started with the first body."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Report] = queue.Queue(MAX_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, report: Report) -> None:
        """Queue one body. Never blocks: where the queue is full, the body is lost and counted."""
        try:
            self._waiting.put_nowait(report)
        except queue.Full:
            lose("a report that found the queue full", report.url)
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="whence-sender", daemon=True)
                self._thread.start()

    def leave(self) -> None:
        """See ``Leaver``: it is always at work."""

    def wait(self, seconds: float) -> bool:
        """Wait until all is posted or lost, at most so long; whether it is."""
        deadline = time.monotonic() + seconds
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._waiting.all_tasks_done.wait(left)
        return True

    def _work(self) -> None:
        # Our own posts are no part of what the application does.
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        while True:
            report = self._waiting.get()
            try:
                _post(report)
            finally:
                self._waiting.task_done()


@guarded
def _post(report: Report) -> None:
    for attempt in range(1, _TRIES + 1):
        failure, is_final = _try_once(report)
        if not failure:
            return
        if is_final or attempt == _TRIES:
            lose("a report that the server did not take", failure)
            return
        time.sleep(_PAUSE_SECONDS * attempt)


def _try_once(report: Report) -> tuple[str, bool]:
    """What went wrong ("" for nothing), and whether a further try is pointless."""
    headers = {"Content-Type": "application/json"}
    if report.token:
        headers["Authorization"] = f"Bearer {report.token}"
    try:
        # The operator chose the address; a scheme that urllib can open is as safe as any.
        with urlopen(Request(report.url, report.body, headers), timeout=_TIMEOUT_SECONDS):  # noqa: S310
            return "", True
    except HTTPError as error:
        with error:
            return f"{error.code} {error.read(300)!r}", error.code not in _RETRYABLE
    except (OSError, HTTPException, ValueError) as error:
        nobody_listens = isinstance(getattr(error, "reason", None), ConnectionRefusedError)
        return str(error), nobody_listens or isinstance(error, ValueError)


_sender = Sender()


def send(url: str, body: bytes, token: str | None) -> None:
    """Queue one body with this process's sender; ``token`` is the bearer's."""
    _sender.send(Report(url, body, token))


class _Current:
    """Whichever sender is this process's when it ends."""

    def leave(self) -> None:
        _sender.leave()

    def wait(self, seconds: float) -> bool:
        return _sender.wait(seconds)


def _renew() -> None:
    """A forked child has no thread, and its parent posts what was waiting."""
    global _sender
    _sender = Sender()


on_leaving(_Current())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
