"""What a token may send: so much a second, some seconds' worth at once, and the others as before."""

from __future__ import annotations

import pytest

from whence.collector.rates import BURST_S, Rates
from whence.errors import Overloaded


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(rates: Rates, token: str, size: int) -> int:
    """Seconds to wait; 0 where it passes."""
    try:
        rates.take(token, size)
    except Overloaded as error:
        return error.retry_after_seconds
    return 0


def test_without_a_limit_everything_passes() -> None:
    Rates().take("a", 10**12)


def test_burst_passes_then_the_rate_holds() -> None:
    clock = Clock()
    rates = Rates(100, clock)
    assert refused(rates, "a", 100 * BURST_S) == 0
    assert refused(rates, "a", 300) == 3
    clock.now += 3
    assert refused(rates, "a", 300) == 0
    assert refused(rates, "a", 1) == 1


def test_one_token_does_not_use_up_what_others_have() -> None:
    rates = Rates(100, Clock())
    rates.take("a", 1000)
    assert refused(rates, "b", 1000) == 0


def test_request_larger_than_a_whole_bucket_passes_once_and_is_paid_for() -> None:
    clock = Clock()
    rates = Rates(100, clock)
    assert refused(rates, "a", 5000) == 0
    clock.now += 40
    assert refused(rates, "a", 100) == 1
    clock.now += 1
    assert refused(rates, "a", 100) == 0


def test_refusals_are_counted_by_token() -> None:
    rates = Rates(1, Clock())
    rates.take("a", 10)
    with pytest.raises(Overloaded, match="too much"):
        rates.take("a", 10)
    (metric,) = rates.metrics()
    assert [(one.value, one.labels) for one in metric.samples] == [(1, {"token": "a"})]
