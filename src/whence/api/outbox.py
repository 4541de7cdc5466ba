"""What is on its way out: one bounded queue for each address, so that one that is slow or dead holds up nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable

import stamina

from whence.errors import WhenceError
from whence.metrics import Metric, Sample, counter, gauge

MOST_WAITING = 100
"""Messages to one address; the oldest goes when there are more, since a later one says more."""
TRIES = 4
TRY_SECONDS = 60.0

Send = Callable[[], Awaitable[None]]
Then = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class NotTold(Exception):
    """An address did not take a message.

    Args:
        reason: Without the address, which may hold a secret.
        retryable: Whether it may take it the next time.
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable


class Outbox:
    """Sends in the background. It belongs to one event loop; who puts something in keeps it until it was tried."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        """Messages by kind of address and what became of them: sent, failed, dropped."""
        self._waiting: dict[str, deque[tuple[Send, Then]]] = defaultdict(lambda: deque(maxlen=MOST_WAITING))
        self._workers: dict[str, asyncio.Task[None]] = {}

    def put(self, kind: str, address: str, send: Send, then: Then | None = None) -> None:
        """Let a message be sent after those that already wait for its address. Never waits.

        Args:
            kind: Of the address, for the counters.
            address: What has a queue of its own.
            send: Raises ``NotTold`` when it could not be sent.
            then: Called once it was sent or given up; not where it is dropped for later ones.
        """
        waiting = self._waiting[address]
        if len(waiting) == MOST_WAITING:
            self.counts[kind, "dropped"] += 1
        waiting.append((send, then or _nothing))
        if address not in self._workers:
            self._workers[address] = asyncio.create_task(self._work(kind, address), name=f"whence-tell-{kind}")

    def metrics(self) -> tuple[Metric, Metric]:
        """What became of messages so far, and how many wait now."""
        become = [Sample(count, {"kind": kind, "outcome": outcome}) for (kind, outcome), count in self.counts.items()]
        waiting = Sample(sum(map(len, self._waiting.values())))
        return (
            counter("whence_notifications_total", "Answers for others, by what became of them.", *become),
            gauge("whence_notifications_waiting", "Answers for others that are not sent yet.", waiting),
        )

    async def drained(self) -> None:
        """Return once nothing waits or is under way."""
        while self._workers:
            await asyncio.wait(self._workers.values())

    async def _work(self, kind: str, address: str) -> None:
        waiting = self._waiting[address]
        try:
            while waiting:
                send, then = waiting.popleft()
                self.counts[kind, await _outcome(kind, send)] += 1
                await _outcome(kind, then)
        finally:
            del self._workers[address]


async def _nothing() -> None:
    """Where nobody waits for the end."""


async def _outcome(kind: str, send: Send) -> str:
    try:
        async for attempt in stamina.retry_context(on=_may_pass, attempts=TRIES, timeout=TRY_SECONDS):
            with attempt:
                await send()
    except (NotTold, WhenceError, ValueError, LookupError, TypeError) as error:  # or an answer that is no answer
        _log.warning("could not tell the %s: %s %s", kind, type(error).__name__, error)
        return "failed"
    return "sent"


def _may_pass(error: Exception) -> bool:
    return isinstance(error, NotTold | WhenceError) and error.retryable
