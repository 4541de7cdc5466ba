"""Waiting for what a service does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT_SECONDS = 60.0
"""Far more than it takes: a busy machine is no fault."""
_POLL_SECONDS = 0.1


def eventually(happens: Callable[[], object], within_seconds: float = WAIT_SECONDS) -> bool:
    """Whether something comes to be; asks again and again."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        if happens():
            return True
        time.sleep(_POLL_SECONDS)
    return False
