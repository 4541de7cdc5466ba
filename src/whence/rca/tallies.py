"""Requests and the bad ones among them, added up over time: any stretch of time is a difference of two sums."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from whence.model.delta import ALL_REQUESTS
from whence.model.times import NS_PER_SECOND
from whence.rca.columns import Floats, Ints
from whence.rca.requests import Requests

FOREVER_NS = 2**63 - 1


class Count(NamedTuple):
    """Requests of a stretch of time, and how many of them were bad."""

    bad: float
    total: float


class Tally:
    """Sums over some rows of requests. Cost: O(rows log rows), once; then O(log rows) for each stretch of time."""

    def __init__(self, start_s: Ints, bad: Floats, total: Floats) -> None:
        order = np.argsort(start_s, kind="stable")
        self._starts: list[int] = start_s[order].tolist()
        self._bad: list[float] = [0.0, *np.cumsum(bad[order]).tolist()]
        self._total: list[float] = [0.0, *np.cumsum(total[order]).tolist()]

    def __len__(self) -> int:
        return len(self._starts)

    def between(self, from_ns: int = 0, to_ns: int = FOREVER_NS) -> Count:
        """Requests whose bucket starts in ``[from_ns, to_ns)``."""
        first, end = self._at(from_ns), self._at(to_ns)
        if first >= end:
            return Count(0.0, 0.0)
        return Count(self._bad[end] - self._bad[first], self._total[end] - self._total[first])

    def _at(self, instant_ns: int) -> int:
        """Number of the first row that starts at an instant or later."""
        return bisect_left(self._starts, -(-instant_ns // NS_PER_SECOND))


class Tallies:
    """Requests of a case by what they touched, added up when first asked for."""

    def __init__(self, requests: Requests, bad: Floats) -> None:
        self._requests = requests
        self._bad = bad
        self._known: dict[frozenset[str], Tally] = {}
        self.everything = self.of((ALL_REQUESTS,))
        """Every request, whatever it touched."""

    def of(self, nodes: Iterable[str]) -> Tally:
        """Requests that touched some nodes."""
        wanted = frozenset(nodes)
        found = self._known.get(wanted)
        if found is None:
            rows = self._requests.touching(wanted)
            found = Tally(self._requests.start_s[rows], self._bad[rows], self._requests.total[rows])
            self._known[wanted] = found
        return found
