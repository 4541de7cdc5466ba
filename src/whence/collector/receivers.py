"""All receivers of a process as one, for the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from whence.metrics import IngestStatus, Metric


class Metered(Protocol):
    """Something with numbers."""

    def metrics(self) -> Sequence[Metric]:
        """Counters and gauges as of now."""


class Receivers:
    """Ready when those are that others send to; what is fetched may begin later."""

    def __init__(self, served: IngestStatus, *fetched: Metered) -> None:
        self._served = served
        self._fetched = fetched

    def is_ready(self) -> bool:
        """See ``IngestStatus``."""
        return self._served.is_ready()

    def metrics(self) -> Sequence[Metric]:
        """See ``IngestStatus``."""
        return (*self._served.metrics(), *(metric for one in self._fetched for metric in one.metrics()))
