from __future__ import annotations

from datetime import UTC, datetime

import pytest

from whence.wording import distance, percent, short, span, stamp

NOW = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("otel://shop#checkout", "checkout"),
        ("otel://shop#ranker@version:v41", "ranker v41"),
        ("s3://lake#warehouse/features@iceberg:305", "warehouse/features 305"),
        ("ranker", "ranker"),
    ],
)
def test_short_says_name_and_version(key: str, said: str) -> None:
    assert short(key) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "120 min"), (7_200, "2 h"), (172_800, "2 d"), (-300, "5 min")],
)
def test_span_takes_the_largest_unit_that_is_full_twice(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_distance_tells_past_from_future() -> None:
    assert distance("2026-11-23T12:00:00Z", NOW) == "5 min ago"
    assert distance("2026-11-23T14:05:00Z", NOW) == "in 2 h"


def test_stamp_is_utc_to_the_second() -> None:
    assert stamp("2026-11-23T13:05:00.25+01:00") == "2026-11-23 12:05:00Z"


def test_percent_is_whole() -> None:
    assert percent(0.724) == "72 %"
