"""When traces close, and what becomes of what comes twice, late, or too much."""

from __future__ import annotations

import pytest

from tests.unit.fold.folding import (
    IDLE_NS,
    NOW_NS,
    SECOND_NS,
    TTL_NS,
    by_clock,
    closed,
    new_folder,
    operations,
    touched,
)
from whence.fold.traces import MAX_SPANS_PER_TRACE
from whence.model.kinds import RelationType
from whence.model.spans import ErrorLog, SpanKind
from whence.testing.spans import START_NS, source, span

INTERNAL = SpanKind.INTERNAL


def test_trace_stays_open_until_it_was_idle_long_enough() -> None:
    folder = new_folder()
    folder.push([span(1)], NOW_NS)
    folder.expire(NOW_NS + IDLE_NS - 1)
    assert not folder.drain(NOW_NS + IDLE_NS - 1).operations
    folder.expire(NOW_NS + IDLE_NS)
    assert folder.drain(NOW_NS + IDLE_NS).operations
    assert folder.stats.open_spans == 0


def test_trace_waits_longer_when_more_comes() -> None:
    folder = new_folder()
    by_clock([(0, [span(1)]), (4, [span(2, 1, kind=INTERNAL)]), (8, [span(3, 1, kind=INTERNAL)])], folder)
    assert (folder.stats.traces_closed, folder.stats.open_spans) == (0, 3)


def test_trace_is_closed_at_its_age_limit_even_if_more_keeps_coming() -> None:
    folder = new_folder()
    by_clock([(seconds, [span(seconds + 1, 1, kind=INTERNAL)]) for seconds in range(0, 64, 4)], folder)
    assert folder.stats.traces_closed == 1


def test_trace_that_is_due_closes_before_what_comes_at_that_clock() -> None:
    folder = new_folder()
    by_clock([(0, [span(1)]), (5, [span(2, 1, kind=INTERNAL)])], folder)
    assert (folder.stats.traces_closed, folder.stats.late_traces) == (1, 1)


def test_trace_is_known_since_it_was_due_however_late_anybody_looked() -> None:
    folder = new_folder()
    folder.push([span(1)], NOW_NS)
    folder.expire(NOW_NS + 100 * IDLE_NS)
    delta = folder.drain(NOW_NS + 200 * IDLE_NS)
    (relation,) = (one for key, one in delta.relations.items() if key.type is RelationType.HAS_VERSION)
    assert relation.known_ns == NOW_NS + IDLE_NS


def test_trace_with_a_span_twice_counts_it_once() -> None:
    folder = new_folder()
    by_clock([(0, [span(1), span(1)]), (1, [span(1)])], folder)
    assert operations(closed(folder))["cart@v1", "GET /"].spans == 1
    assert folder.stats.duplicate_spans == 2


def test_trace_with_two_spans_of_one_id_keeps_the_same_one_in_any_order() -> None:
    one, other = span(1, operation="a"), span(1, operation="b")
    results = []
    for pair in ([one, other], [other, one]):
        folder = new_folder()
        folder.push(pair, NOW_NS)
        results.append(closed(folder))
    assert results[0] == results[1]


def test_trace_sent_again_after_it_closed_changes_nothing() -> None:
    folder = new_folder()
    by_clock([(0, [span(1), span(2, 1, kind=INTERNAL)]), (10, [span(1), span(2, 1, kind=INTERNAL)])], folder)
    assert touched(closed(folder), "cart")[""] == 1.0
    assert (folder.stats.duplicate_spans, folder.stats.late_traces) == (2, 1)


def test_trace_with_late_spans_counts_the_new_ones_only() -> None:
    folder = new_folder()
    by_clock([(0, [span(1)]), (10, [span(1), span(2, 1, kind=INTERNAL, operation="late")])], folder)
    counts = operations(closed(folder))
    assert (counts["cart@v1", "GET /"].spans, counts["cart@v1", "late"].spans) == (1, 1)


def test_traces_beyond_the_bound_are_closed_oldest_first() -> None:
    folder = new_folder(max_open_spans=3)
    by_clock(
        [(0, [span(1, trace=1)]), (1, [span(n, trace=2) for n in (1, 2)]), (2, [span(9, trace=1), span(1, trace=3)])],
        folder,
    )
    assert [one.trace_id[-1] for one in folder.open_spans()] == [2, 2, 3]
    assert folder.stats.evicted_full == 1


def test_trace_without_end_is_closed_in_pieces() -> None:
    folder = new_folder()
    folder.push([span(number, 0, kind=INTERNAL) for number in range(1, MAX_SPANS_PER_TRACE + 1)], NOW_NS)
    folder.push([span(MAX_SPANS_PER_TRACE + 1, 1, kind=INTERNAL)], NOW_NS + 1)
    assert folder.stats.traces_closed == 1
    assert folder.stats.open_spans == 0


def test_clock_that_goes_back_is_taken_for_standing_still() -> None:
    folder = new_folder()
    folder.push([span(1)], NOW_NS)
    folder.push([span(1, trace=2)], NOW_NS - TTL_NS)
    folder.expire(NOW_NS + IDLE_NS - 1)
    assert folder.stats.open_spans == 2


def test_roll_with_something_not_drained_is_refused() -> None:
    folder = new_folder()
    folder.push_logs([ErrorLog(source(), START_NS)], NOW_NS)
    with pytest.raises(RuntimeError, match="drain"):
        folder.roll("w2")


def test_roll_counts_open_traces_under_the_new_writer() -> None:
    folder = new_folder("w1")
    folder.push([span(1)], NOW_NS)
    folder.drain(NOW_NS)
    folder.roll("w2")
    assert {key.writer for key in closed(folder).operations} == {"w2"}


def test_drain_gives_what_changed_and_only_once() -> None:
    folder = new_folder()
    folder.push([span(1), span(1, trace=2, service="web")], NOW_NS)
    assert len(closed(folder).operations) == 2
    late_ns = NOW_NS + 100 * TTL_NS
    assert folder.drain(late_ns).rows == 0
    folder.push([span(1, trace=3)], late_ns)
    folder.expire(late_ns + IDLE_NS)
    delta = folder.drain(late_ns + SECOND_NS * 10)
    assert operations(delta)["cart@v1", "GET /"].spans == 2
    assert not [key for key in delta.operations if "web" in key.node]


def test_stats_name_everything_that_was_pushed() -> None:
    folder = new_folder()
    folder.push([span(1, service="web", kind=SpanKind.CLIENT), span(2, 1)], NOW_NS)
    closed(folder)
    assert folder.stats._asdict() == {
        "spans": 2,
        "traces_closed": 1,
        "late_traces": 0,
        "duplicate_spans": 0,
        "evicted_full": 0,
        "paired": 1,
        "unpaired_callers": 0,
        "unknown_callers": 0,
        "open_spans": 0,
    }
