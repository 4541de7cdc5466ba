"""People who buy at the shop, at a bounded rate, and notice when it stops to serve them well."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import httpx

from whence.demo.exports import USERS

_BUYERS = 4
_PER_SECOND = 24.0
_CURRENCIES = ("EUR", "EUR", "USD", "GBP", "JPY", "JPY")
_LOOK_BACK_SECONDS = 4.0
_BAD_SHARE = 0.12
_MIN_BAD = 6


class Visit(NamedTuple):
    """One request and how it went."""

    at: float
    operation: str
    failed: bool
    poor: bool


class Symptom(NamedTuple):
    """What is wrong, as seen from outside."""

    operation: str
    signal: str
    share: float


class Traffic:
    """Threads that visit the shop until closed. The seed decides who comes and what they want."""

    def __init__(self, storefront: Callable[[], str], seed: int) -> None:
        self._storefront = storefront
        self._closing = threading.Event()
        self._visits: deque[Visit] = deque(maxlen=10_000)
        self._buyers = [
            threading.Thread(target=self._buy, args=(Random(f"{seed}/{number}"),), daemon=True)  # noqa: S311
            for number in range(_BUYERS)
        ]

    def open(self) -> None:
        """Let people in."""
        for buyer in self._buyers:
            buyer.start()

    def close(self) -> None:
        """Send everybody home. Safe to call twice, and without ``open``."""
        self._closing.set()
        for buyer in self._buyers:
            if buyer.is_alive():
                buyer.join()

    @property
    def total(self) -> int:
        """Visits so far, as far as they are remembered."""
        return len(self._visits)

    def symptom(self) -> Symptom | None:
        """What goes wrong right now for more than a few, worst first; None while all is well."""
        since = time.monotonic() - _LOOK_BACK_SECONDS
        recent = [visit for visit in tuple(self._visits) if visit.at >= since]
        total = Counter(visit.operation for visit in recent)
        bad = Counter((visit.operation, "errors") for visit in recent if visit.failed)
        bad += Counter((visit.operation, "quality") for visit in recent if visit.poor)
        found = [
            Symptom(operation, signal, count / total[operation])
            for (operation, signal), count in bad.items()
            if count >= _MIN_BAD and count >= _BAD_SHARE * total[operation]
        ]
        return max(found, key=lambda symptom: symptom.share, default=None)

    def _buy(self, random: Random) -> None:
        pause = _BUYERS / _PER_SECOND
        due = time.monotonic() + random.random() * pause
        with httpx.Client(timeout=5) as client:
            while not self._closing.wait(max(0.0, due - time.monotonic())):
                self._visits.append(_visit(client, self._storefront(), random))
                # Who waited long for an answer does not make up for it.
                due = max(due + pause, time.monotonic())


def _visit(client: httpx.Client, storefront: str, random: Random) -> Visit:
    user = random.choice(USERS)
    try:
        if random.random() < 0.5:
            operation = "GET /recommend"
            answer = client.get(f"{storefront}/recommend", params={"user": user})
            poor = answer.is_success and not answer.json()["personal"]
            return Visit(time.monotonic(), operation, not answer.is_success, poor)
        operation = "POST /checkout"
        order = {"user": user, "amount": round(random.uniform(5, 200), 2), "currency": random.choice(_CURRENCIES)}
        answer = client.post(f"{storefront}/checkout", json=order)
        return Visit(time.monotonic(), operation, not answer.is_success, poor=False)
    except httpx.HTTPError:
        return Visit(time.monotonic(), operation, failed=True, poor=False)
