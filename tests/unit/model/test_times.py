"""Times in and out: RFC 3339, relative, limits of what every store can hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.model.times import NS_PER_SECOND, format_time, parse_duration_ns, parse_time_ns

NOW_NS = 1_790_000_000 * NS_PER_SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("15m", 900), ("2h", 7_200), ("1.5d", 129_600), ("1w", 604_800), ("-2h", 7_200), (" 5 m ", 300)],
)
def test_duration_reads_number_and_unit(text: str, seconds: int) -> None:
    assert parse_duration_ns(text) == seconds * NS_PER_SECOND


def test_duration_in_milliseconds() -> None:
    assert parse_duration_ns("250ms") == 250_000_000


@pytest.mark.parametrize("text", ["", "5", "h", "5 years", "1e3s", "--5m", "5m5s", "\u0665m" + "x"])
def test_duration_without_a_known_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration_ns(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW_NS),
        (" now ", NOW_NS),
        ("-2h", NOW_NS - 7_200 * NS_PER_SECOND),
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T12:05:00Z", 1_795_435_500 * NS_PER_SECOND),
        ("2026-11-23T13:05:00+01:00", 1_795_435_500 * NS_PER_SECOND),
        ("2026-11-23T12:05:00", 1_795_435_500 * NS_PER_SECOND),
        ("2026-11-23 12:05", 1_795_435_500 * NS_PER_SECOND),
        ("2026-11-23T12:05:00.000001Z", 1_795_435_500 * NS_PER_SECOND + 1_000),
    ],
)
def test_time_absolute_or_relative_is_read(text: str, expected: int) -> None:
    assert parse_time_ns(text, now_ns=NOW_NS) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "12:05", "2026-13-01T00:00:00Z", "-2y", "1790000000"])
def test_time_in_no_known_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_time_ns(text, now_ns=NOW_NS)


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "2262-04-12T00:00:00Z", "9999-12-31T23:59:59Z", "-3000w"])
def test_time_that_no_store_can_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="outside the years 1970 to 2261"):
        parse_time_ns(text, now_ns=NOW_NS)


def test_time_is_formatted_with_microseconds_only_where_there_are_any() -> None:
    assert format_time(0) == "1970-01-01T00:00:00Z"
    assert format_time(1_500_000_000) == "1970-01-01T00:00:01.5Z"
    assert format_time(1_000_001_999) == "1970-01-01T00:00:01.000001Z"


@given(st.integers(0, 9_000_000_000_000_000))
def test_time_formatted_reads_back_to_the_microsecond(microseconds: int) -> None:
    ns = microseconds * 1_000
    assert parse_time_ns(format_time(ns), now_ns=NOW_NS) == ns
