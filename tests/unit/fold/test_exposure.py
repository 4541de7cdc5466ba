"""Requests into a service by what they touched at or below it."""

from __future__ import annotations

import pytest

from tests.unit.fold.folding import closed, exposures, fold, new_folder, touched
from whence.model.sketch import bucket_index, decode
from whence.model.spans import Facts, SpanKind
from whence.testing.spans import START_NS, span

CLIENT, INTERNAL, SERVER, CONSUMER = SpanKind.CLIENT, SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CONSUMER


def test_request_touches_every_version_at_or_below_its_entry_once() -> None:
    delta = fold(
        span(1, service="web"),
        span(2, 1, service="web", kind=CLIENT),
        span(3, 2, service="cart", version="v2", facts=Facts(models=("ml://#fraud@version:7",))),
        span(4, 1, service="web", kind=CLIENT),
        span(5, 4, service="cart", version="v2"),
        span(6, 5, service="db", version=None),
    )
    assert touched(delta, "web") == {"": 1.0, "web@v1": 1.0, "cart@v2": 1.0, "ml://#fraud@7": 1.0, "db": 1.0}
    assert touched(delta, "cart") == {"": 2.0, "cart@v2": 2.0, "ml://#fraud@7": 1.0, "db": 1.0}
    assert touched(delta, "db") == {"": 1.0, "db": 1.0}


def test_request_is_as_bad_and_as_slow_as_its_entry() -> None:
    delta = fold(span(1, service="web", millis=30), span(2, 1, service="cart", error=True, millis=4))
    through_cart, into_cart = exposures(delta)["web", "GET /", "cart@v1"], exposures(delta)["cart", "GET /", "cart@v1"]
    assert (through_cart.errors, into_cart.errors) == (0.0, 1.0)
    assert decode(through_cart.latency) == {bucket_index(30_000): 1.0}


def test_request_is_poor_when_anything_below_it_was() -> None:
    delta = fold(span(1, service="web"), span(2, 1, service="cart", facts=Facts(poor=True)), span(3, 2, service="db"))
    assert exposures(delta)["web", "GET /", "db@v1"].poor == 1.0
    assert exposures(delta)["db", "GET /", "db@v1"].poor == 0.0


def test_request_weighs_what_its_entry_does() -> None:
    delta = fold(span(1, weight=4.0), span(2, trace=2, weight=0.5), span(3, 2, trace=2, kind=INTERNAL, weight=9.0))
    counts = exposures(delta)["cart", "GET /", ""]
    assert (counts.spans, counts.requests, counts.requests_sq) == (2, 4.5, 16.25)


def test_request_by_another_version_of_the_service_is_not_an_entry() -> None:
    delta = fold(span(1, version="v1"), span(2, 1, version="v2"))
    assert touched(delta, "cart") == {"": 1.0, "cart@v1": 1.0, "cart@v2": 1.0}


@pytest.mark.parametrize(
    ("kind", "entries"), [(SERVER, 1), (CONSUMER, 1), (SpanKind.UNSPECIFIED, 1), (CLIENT, 0), (INTERNAL, 0)]
)
def test_request_whose_caller_never_came_counts_unless_the_caller_was_local(kind: int, entries: int) -> None:
    folder = new_folder()
    folder.push([span(2, 1, kind=kind)], START_NS)
    delta = closed(folder)
    assert sum(key.node == "" for key in delta.exposures) == entries
    assert folder.stats.unknown_callers == entries


@pytest.mark.parametrize("kind", [SERVER, CLIENT, INTERNAL])
def test_request_of_a_root_span_counts_whatever_its_kind(kind: int) -> None:
    assert touched(fold(span(1, kind=kind)), "cart")[""] == 1.0


def test_requests_into_many_entries_and_sets_add_up() -> None:
    spans = [span(1, trace=n, service="web", operation=f"GET /{n % 3}", version=f"v{n % 7}") for n in range(1, 2001)]
    delta = fold(*spans)
    assert touched(delta, "web")[""] == 2000.0
    assert touched(delta, "web")["web@v3"] == sum(n % 7 == 3 for n in range(1, 2001))


def test_requests_in_a_circle_of_parents_are_counted_once() -> None:
    delta = fold(span(1, 3), span(2, 1, kind=INTERNAL), span(3, 2, kind=INTERNAL), span(4, 4, trace=2))
    assert touched(delta, "cart")[""] == 2.0
