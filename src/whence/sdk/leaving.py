"""A bounded good-bye: what is left is exported when the process ends, but the end waits only so long."""

from __future__ import annotations

import atexit
import os
import threading

from opentelemetry.sdk.trace import TracerProvider

_BUDGET_SECONDS = 2.0


class Leaving:
    """Shuts a tracer provider down at exit, instead of OpenTelemetry's own hook, which waits up to 30 s.

    The provider offers no time limit that it keeps, and a new thread can't be started at exit (Python 3.12), so an
    idle daemon thread waits for that moment.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._start()
        atexit.register(self._leave)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._start)

    def _start(self) -> None:
        self._leaving, self._left = threading.Event(), threading.Event()
        threading.Thread(target=self._wait, name="whence-leaving", daemon=True).start()

    def _wait(self) -> None:
        self._leaving.wait()
        self._provider.shutdown()
        self._left.set()

    def _leave(self) -> None:
        self._leaving.set()
        self._left.wait(_BUDGET_SECONDS)
