"""A bounded good-bye: what is left is sent when the process ends, but the end waits only so long for all of it."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

BUDGET_SECONDS = 2.0


class Leaver(Protocol):
    """Somebody who has to finish something when the process ends."""

    def leave(self) -> None:
        """Begin to finish; return at once."""

    def wait(self, seconds: float) -> object:
        """Wait until it is finished, at most so long."""


class Farewell:
    """Calls a function that may block when the process ends; OpenTelemetry's own hooks would wait up to 30 s.

    Such functions offer no time limit that they keep, and a new thread can't be started at exit (Python 3.12), so an
    idle daemon thread waits for that moment.
    """

    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action
        self._start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._start)

    def leave(self) -> None:
        """See ``Leaver``."""
        self._leaving.set()

    def wait(self, seconds: float) -> object:
        """See ``Leaver``."""
        return self._left.wait(seconds)

    def _start(self) -> None:
        self._leaving, self._left = threading.Event(), threading.Event()
        threading.Thread(target=self._run, name="whence-leaving", daemon=True).start()

    def _run(self) -> None:
        self._leaving.wait()
        self._action()
        self._left.set()


_leavers: list[Leaver] = []


def on_leaving(leaver: Leaver) -> None:
    """Let somebody finish at exit. All of them share one budget of two seconds."""
    _leavers.append(leaver)


def leave() -> None:
    """Let all of them finish now."""
    deadline = time.monotonic() + BUDGET_SECONDS
    for leaver in _leavers:
        leaver.leave()
    for leaver in _leavers:
        leaver.wait(max(0.0, deadline - time.monotonic()))


atexit.register(leave)
