"""Refreshes that did not come."""

from __future__ import annotations

import pytest

from whence.model.change import Change
from whence.model.kinds import ChangeKind, EntityKind, RelationType
from whence.rca.staleness import cadence_ns, overdue
from whence.testing.graphs import at, link, relation

DATA = "s3://lake#features"
HOUR = 3600
HOUR_NS = HOUR * 1_000_000_000


def found(hours: list[float], to: float, kind: EntityKind = EntityKind.DATASET) -> tuple[Change, ...]:
    versions = [
        relation(link(DATA, f"{DATA}@snapshot:{number}", RelationType.HAS_VERSION), hour * HOUR)
        for number, hour in enumerate(hours)
    ]
    return tuple(change for change, _ in overdue(versions, {DATA: kind}, at(-100 * HOUR), at(to * HOUR)))


def test_overdue_hourly_data_after_two_hours_is_a_change_when_it_crossed() -> None:
    (change,) = found([0, 1, 2, 3, 4], to=6)
    assert (change.kind, change.subject, change.recorded) == (ChangeKind.STALENESS, DATA, False)
    assert change.effective_ns == at(5.5 * HOUR)
    assert change.from_version == "4"


def test_overdue_within_the_limit_is_none() -> None:
    assert found([0, 1, 2, 3, 4], to=5.4) == ()


def test_overdue_too_few_versions_know_no_rhythm() -> None:
    assert found([0, 1, 2], to=20) == ()


def test_overdue_irregular_series_has_no_rhythm() -> None:
    assert found([0, 1, 9, 10, 30, 31], to=80) == ()


def test_overdue_one_gap_among_many_keeps_the_rhythm() -> None:
    assert len(found([0, 1, 2, 3, 7, 8, 9, 10], to=14)) == 1


def test_overdue_of_a_service_is_none() -> None:
    assert found([0, 1, 2, 3, 4], to=9, kind=EntityKind.SERVICE) == ()


def test_overdue_versions_that_all_appeared_at_once_know_no_rhythm() -> None:
    assert found([0, 0.0001, 0.0002, 0.0003, 0.0004], to=9) == ()


def test_overdue_versions_after_the_end_do_not_count() -> None:
    assert len(found([0, 1, 2, 3, 4, 7], to=6)) == 1


@pytest.mark.parametrize(("hours", "expected"), [([0, 1, 2, 3], 1), ([0, 2, 4, 6, 8], 2), ([5], None), ([], None)])
def test_cadence_is_the_median_gap(hours: list[int], expected: int | None) -> None:
    assert cadence_ns([hour * HOUR_NS for hour in hours]) == (None if expected is None else expected * HOUR_NS)
