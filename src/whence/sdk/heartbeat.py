"""The heartbeat: an ``entity.state`` log record every minute and soon after something new, which no sampling hides.

It goes through the application's own logs pipeline when there is one, else straight to where OTLP goes. One daemon
thread does all of it, so neither a slow collector nor an absent one is ever waited for.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from opentelemetry._logs import Logger, LoggerProvider, get_logger_provider
from opentelemetry._logs._internal import ProxyLoggerProvider
from opentelemetry.sdk._logs import LoggerProvider as OwnLoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

from whence.sdk.edges import on_first_use, used
from whence.sdk.entity_state import EVENT_NAME, entity_state, short_id
from whence.sdk.exporters import exporters
from whence.sdk.guard import guarded, lose
from whence.sdk.leaving import on_leaving
from whence.sdk.resource import process_resource

_GATHER_SECONDS = 0.5
"""New uses come in bunches, at start above all."""
_DEFAULT_SECONDS = 60


def interval_seconds() -> int:
    """Seconds between two reports as ``WHENCE_HEARTBEAT_SECONDS`` says; 0 switches the heartbeat off."""
    stated = os.environ.get("WHENCE_HEARTBEAT_SECONDS", "")
    if stated.isdecimal():
        return int(stated)
    if stated:
        lose("WHENCE_HEARTBEAT_SECONDS that is no number", stated)
    return _DEFAULT_SECONDS


def has_pipeline() -> bool:
    """Whether the application exports logs by itself."""
    return not isinstance(get_logger_provider(), ProxyLoggerProvider)


class Heartbeat:
    """The thread that reports, and reports once more when the process ends."""

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._own_id = ""
        self._start()
        on_first_use(self._hear_of_news)
        on_leaving(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._start)

    def own_id(self) -> str:
        """The short id that requests carry along. Once it is given away, a report says whose it is."""
        if not self._own_id:
            self._own_id = short_id(process_resource().attributes)
            self._due.set()
        return self._own_id

    def leave(self) -> None:
        """See ``Leaver``."""
        self._leaving.set()
        self._due.set()

    def wait(self, seconds: float) -> object:
        """See ``Leaver``."""
        return self._left.wait(seconds)

    def _hear_of_news(self) -> None:
        self._due.set()

    def _start(self) -> None:
        self._due, self._leaving, self._left = threading.Event(), threading.Event(), threading.Event()
        self._provider: LoggerProvider | None = None
        threading.Thread(target=self._run, name="whence-heartbeat", daemon=True).start()

    def _run(self) -> None:
        while not self._leaving.is_set():
            self._due.wait(self._interval)
            self._leaving.wait(_GATHER_SECONDS)
            self._due.clear()
            self._beat(0 if self._leaving.is_set() else self._interval)
        self._left.set()

    @guarded
    def _beat(self, interval: int) -> None:
        known = tuple(used())
        if known or self._own_id:
            state = entity_state(process_resource().attributes, known, interval_seconds=interval)
            self._logger().emit(timestamp=time.time_ns(), event_name=EVENT_NAME, attributes=state)

    def _logger(self) -> Logger:
        if self._provider is None:
            self._provider = get_logger_provider() if has_pipeline() else _own_pipeline()
        return self._provider.get_logger("whence")


def _own_pipeline() -> Any:
    provider = OwnLoggerProvider(resource=process_resource(), shutdown_on_exit=False)
    for exporter in exporters("logs"):
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    return provider
