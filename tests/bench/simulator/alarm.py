"""When somebody notices: a rule on the requests into one service, as a team would have it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.bench.simulator.draws import MINUTE_NS
from tests.bench.simulator.effects import FAILS, POOR, SLOW

WINDOW_NS = 3 * MINUTE_NS
LEAST_BAD = 6
LEAST_RISE = 0.04
SIGMAS = 4.0
SLOW_AT = 0.95
"""Requests that take longer than this quantile of the usual ones are slow."""


class Seen(NamedTuple):
    """One request into the watched service."""

    at_ns: int
    took_ns: int
    failed: bool
    poor: bool


class Usual(NamedTuple):
    """What requests are like before anything happens."""

    slow_ns: int
    shares: Mapping[str, float]
    """Of bad ones, by how it shows."""


def usual_of(seen: Sequence[Seen]) -> Usual:
    """Learn from some quiet minutes."""
    took = sorted(one.took_ns for one in seen)
    slow_ns = took[int(SLOW_AT * len(took))] if took else 0
    shares = {shows: _share(seen, shows, slow_ns) for shows in (FAILS, POOR, SLOW)}
    return Usual(slow_ns, shares)


def raised(seen: Sequence[Seen], usual: Usual, now_ns: int) -> str | None:
    """How trouble shows in the last minutes; None when all is as usual."""
    recent = [one for one in seen if now_ns - WINDOW_NS <= one.at_ns < now_ns]
    for shows, share in usual.shares.items():
        now = _share(recent, shows, usual.slow_ns)
        noise = math.sqrt(max(share * (1 - share), 1e-4) / max(len(recent), 1))
        if now * len(recent) >= LEAST_BAD and now - share > max(LEAST_RISE, SIGMAS * noise):
            return shows
    return None


def _share(seen: Sequence[Seen], shows: str, slow_ns: int) -> float:
    bad = sum(_is_bad(one, shows, slow_ns) for one in seen)
    return bad / len(seen) if seen else 0.0


def _is_bad(one: Seen, shows: str, slow_ns: int) -> bool:
    if shows == SLOW:
        return one.took_ns > slow_ns
    return one.failed if shows == FAILS else one.poor
