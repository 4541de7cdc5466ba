"""What a node did by itself."""

from __future__ import annotations

import pytest

from tests.unit.fold.folding import NOW_NS, closed, fold, new_folder, operations
from whence.model.kinds import RelationType
from whence.model.sketch import bucket_index, decode
from whence.model.spans import ErrorLog, Facts, Span, SpanKind
from whence.testing.spans import START_NS, source, span

CLIENT, INTERNAL = SpanKind.CLIENT, SpanKind.INTERNAL


def self_ms(*spans: Span, operation: str = "root") -> float:
    counts = operations(fold(*spans))["cart@v1", operation]
    (index,) = decode(counts.self_time)
    return index


@pytest.mark.parametrize(
    ("children", "left"),
    [
        ([], 10),
        ([(2, 5)], 5),
        ([(0, 10)], 0),
        ([(1, 3), (5, 2)], 5),
        ([(1, 4), (3, 4)], 4),
        ([(1, 6), (2, 2)], 4),
        ([(-5, 8)], 7),
        ([(8, 20)], 8),
        ([(20, 5)], 10),
        ([(-9, 5)], 10),
    ],
)
def test_self_time_is_what_no_child_covers(children: list[tuple[float, float]], left: float) -> None:
    spans = [
        span(number, 1, kind=CLIENT, operation="call", at_ms=at_ms, millis=millis)
        for number, (at_ms, millis) in enumerate(children, 2)
    ]
    assert self_ms(span(1, operation="root", millis=10), *spans) == bucket_index(round(left * 1000))


def test_self_time_of_a_call_leaves_out_what_was_lost_on_the_way_to_the_callee() -> None:
    delta = fold(span(1, service="web", kind=CLIENT, operation="call", millis=9), span(2, 1, millis=5))
    counts = operations(delta)["web@v1", "call"]
    assert (counts.calls, counts.self_time) == (1.0, b"")


def test_time_of_a_call_that_nobody_answered_is_the_peers() -> None:
    peer = Facts(peer="net://#pay.shop.dev:443")
    spans = (
        span(1, service="web", kind=CLIENT, operation="call", millis=9, facts=peer),
        span(2, 1, service="web", kind=INTERNAL, operation="connect", millis=2),
    )
    delta = fold(*spans)
    assert operations(delta)["web@v1", "call"].self_time == b""
    (counts,) = (counts for key, counts in delta.edges.items() if key.relation.type is RelationType.CALLS)
    assert set(decode(counts.gap)) == {bucket_index(7000)}


def test_operation_counts_calls_errors_and_poor_outcomes() -> None:
    delta = fold(
        span(1, error=True),
        span(2, 1, kind=INTERNAL, operation="inner", error=True),
        span(3, trace=2, facts=Facts(poor=True)),
        span(4, trace=3, weight=2.5),
    )
    outer, inner = operations(delta)["cart@v1", "GET /"], operations(delta)["cart@v1", "inner"]
    assert outer[:6] == (3, 4.5, 1.0, 0.0, 0.0, 1.0)
    assert inner[:6] == (1, 1.0, 1.0, 1.0, 0.0, 0.0)


def test_error_begins_at_the_caller_when_no_callee_failed() -> None:
    delta = fold(span(1, service="web", kind=CLIENT, operation="call", error=True), span(2, 1))
    assert operations(delta)["web@v1", "call"].origin_errors == 1.0


def test_error_of_a_consumer_does_not_explain_the_producers() -> None:
    delta = fold(
        span(1, kind=SpanKind.PRODUCER, operation="send", error=True), span(2, 1, kind=SpanKind.CONSUMER, error=True)
    )
    assert operations(delta)["cart@v1", "send"].origin_errors == 1.0


def test_operations_beyond_200_of_a_version_are_counted_together() -> None:
    spans = [span(1, trace=number, operation=f"GET /{number}") for number in range(1, 251)]
    counts = operations(fold(*spans))
    assert len(counts) == 201
    assert counts["cart@v1", "other"].spans == 50


def test_error_log_is_counted_with_no_operation() -> None:
    folder = new_folder()
    folder.push_logs([ErrorLog(source("cart"), START_NS), ErrorLog(source("cart"), START_NS + 1)], NOW_NS)
    delta = closed(folder)
    counts = operations(delta)["cart@v1", ""]
    assert (counts.spans, counts.calls, counts.error_logs, counts.self_time) == (2, 0.0, 2.0, b"")
    entity = delta.entities["otel://shop#cart@version:v1"]
    assert (entity.first_seen_ns, entity.last_seen_ns) == (START_NS, START_NS + 1)


def test_error_logs_stay_absolute_over_drains() -> None:
    folder = new_folder()
    for count in (1, 2):
        folder.push_logs([ErrorLog(source("cart"), START_NS)], NOW_NS)
        assert operations(folder.drain(NOW_NS))["cart@v1", ""].error_logs == count


def test_rows_fall_into_the_bucket_of_the_span_itself() -> None:
    delta = fold(span(1, at_ms=14_990, millis=20), span(2, 1, kind=INTERNAL, operation="late", at_ms=15_005))
    starts = {key.operation: key.start_s for key in delta.operations}
    assert starts["late"] - starts["GET /"] == 15
