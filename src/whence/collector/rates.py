"""How much each token may send: one sender that runs wild must not crowd out the others."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable

from whence.errors import Overloaded
from whence.metrics import Metric, Sample, counter

BURST_S = 10
"""A sender that was quiet may send so many seconds' worth at once."""


class Rates:
    """A bucket of bytes for each token, filled at one rate."""

    def __init__(self, bytes_per_second: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        """Limit every token to so many bytes a second, as they are sent; 0: no limit."""
        self._rate = bytes_per_second
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        """Bytes that may still be sent, and when that was so."""
        self._refused: Counter[str] = Counter()

    def take(self, token: str, size: int) -> None:
        """Let so many bytes in.

        A request that is larger than a whole bucket passes when the bucket is full, and is paid for afterwards.

        Raises:
            Overloaded: The token has sent too much; the error says when it may try again.
        """
        if not self._rate:
            return
        now, most = self._clock(), float(self._rate * BURST_S)
        left, at = self._left.get(token, (most, now))
        left = min(left + (now - at) * self._rate, most)
        lacking = min(size, most) - left
        if lacking > 0:
            self._left[token] = left, now
            self._refused[token] += 1
            raise Overloaded("this token sends too much", max(math.ceil(lacking / self._rate), 1))
        self._left[token] = left - size, now

    def metrics(self) -> tuple[Metric, ...]:
        """Requests that were refused, by token."""
        samples = [Sample(count, {"token": token}) for token, count in sorted(self._refused.items())]
        return (counter("whence_rate_limited_requests_total", "Requests of tokens that sent too much.", *samples),)
