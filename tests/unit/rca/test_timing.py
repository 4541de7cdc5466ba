"""Evidence from timing alone: lead times, repeats, missing refreshes, and what happened after a roll-back."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.rca.scenes import candidate, scene
from whence.model.kinds import ChangeKind, EntityKind, RelationType, Signal
from whence.rca.evidence.lead_time import lead_density, lead_time
from whence.rca.evidence.overdue import overdue_by
from whence.rca.evidence.signal_fit import signal_fit
from whence.rca.evidence.withdrawal import withdrawal
from whence.rca.ruling import rule_out
from whence.rca.weights import PRIORS
from whence.testing.cases import Met, bucket, incident, rollout, traffic, versioned
from whence.testing.graphs import Fact, at, change, entity, key, link, relation

SHOP, RANKER = key("shop"), key("ranker")
V1, V2 = key("ranker", "v1"), key("ranker", "v2")
DATA = "s3://lake#features"
HOUR = 3600


def plain(bad: int = 9, until: int = 80) -> list[Fact]:
    """``shop`` calls ``ranker``, and requests go bad from bucket 40 on."""
    facts: list[Fact] = [entity(SHOP), entity(RANKER), relation(link(SHOP, RANKER), -99, bucket(until))]
    return [
        *facts,
        *traffic(SHOP, range(40), {RANKER: Met(40)}),
        *traffic(SHOP, range(40, until), {RANKER: Met(40, bad)}),
    ]


def weight(seconds_before: float, kind: ChangeKind = ChangeKind.DEPLOYMENT, others: int = 0) -> float:
    onset = bucket(40)
    facts = [change("d", RANKER, onset - seconds_before, kind=kind)]
    facts += [change(f"o{number}", RANKER, onset - 4000 * (number + 1), kind=kind) for number in range(others)]
    of = scene([*plain(), *facts], incident(SHOP, 79))
    (one,) = (found for found in of.candidates if found.change.id == "d")
    return lead_time(one, of).weight


def test_lead_time_minutes_before_beats_hours_before() -> None:
    assert weight(120) > weight(2 * HOUR) > weight(20 * HOUR)


def test_lead_time_hours_before_still_counts() -> None:
    """Heavy tails: yesterday's change is a weak lead, not an impossible one."""
    assert weight(20 * HOUR) > -4


def test_lead_time_of_a_series_that_changes_often_is_weaker() -> None:
    assert weight(120, ChangeKind.DATASET, others=12) < weight(120, ChangeKind.DATASET) - 1


def test_lead_density_of_what_came_after_is_zero() -> None:
    assert lead_density(np.array([-1.0]), np.array([1.0]), PRIORS[ChangeKind.CONFIG], median_minutes=5.0) == 0.0


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_lead_density_is_a_density(kind: ChangeKind) -> None:
    hours = np.exp(np.linspace(-14, 10, 4000))
    prior = PRIORS[kind]
    values = [
        lead_density(np.array([one]), np.array([1.0]), prior, median_minutes=prior.lead_minutes, at_once_share=0.3)
        for one in hours
    ]
    assert float(np.trapezoid(values, hours)) == pytest.approx(1.0, abs=0.02)


def stale(ended: int) -> list[Fact]:
    """``ranker`` reads data that was refreshed every four buckets until one."""
    seen = {f"{DATA}@snapshot:{number}": number * 4 for number in range(ended // 4)}
    return [*plain(), *versioned(RANKER, DATA, seen, 80, kind=EntityKind.DATASET, type_=RelationType.READS)]


def test_overdue_data_are_a_candidate_with_their_age() -> None:
    of = scene(stale(ended=32), incident(SHOP, 79))
    (one,) = (found for found in of.candidates if found.change.kind is ChangeKind.STALENESS)
    found = overdue_by(one, of)
    assert found is not None
    assert found.data["ratio"] == pytest.approx(3.25, abs=0.3)
    assert (found.direction, one.change.subject) == ("for", DATA)


def test_overdue_is_asked_of_staleness_only() -> None:
    of = scene([*plain(), change("d", RANKER, bucket(39))], incident(SHOP, 79))
    assert overdue_by(candidate(of, RANKER), of) is None


def test_signal_fit_of_stale_data_to_errors_is_poor() -> None:
    of = scene(stale(ended=32), incident(SHOP, 79, Signal.ERRORS))
    (one,) = (found for found in of.candidates if found.change.kind is ChangeKind.STALENESS)
    found = signal_fit(one, of)
    assert found is not None
    assert (found.direction, found.sentence) == ("against", "A staleness rarely shows as errors.")


def taken_back(recovers: bool) -> list[Fact]:
    facts = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 40}, 100)]
    facts += [*traffic(SHOP, range(40), {V1: Met(40)}), *traffic(SHOP, range(40, 60), {V2: Met(40, bad=20)})]
    facts += traffic(SHOP, range(60, 90), {V1: Met(40, bad=0 if recovers else 20)})
    out = change("out", RANKER, bucket(40), from_version="v1", to_version="v2")
    return [*facts, out, change("back", RANKER, bucket(60), from_version="v2", to_version="v1")]


@pytest.mark.parametrize(("recovers", "expected"), [(True, 4.0), (False, -4.0)])
def test_withdrawal_tells_by_recovery(recovers: bool, expected: float) -> None:
    of = scene(taken_back(recovers), incident(SHOP, 58), until=90)
    (one,) = (found for found in of.candidates if found.change.id == "out")
    found = withdrawal(one, of)
    assert found is not None
    assert found.weight == expected


def test_withdrawal_amid_other_changes_counts_half() -> None:
    other: list[Fact] = [
        entity(key("other")),
        relation(link(SHOP, key("other")), -9, bucket(90)),
        change("x", key("other"), bucket(61)),
    ]
    of = scene([*taken_back(recovers=True), *other], incident(SHOP, 58), until=90)
    (one,) = (found for found in of.candidates if found.change.id == "out")
    found = withdrawal(one, of)
    assert found is not None
    assert found.weight == 2.0


def test_withdrawal_without_a_roll_back_is_absent() -> None:
    of = scene(rollout(), incident(SHOP, 79))
    assert withdrawal(candidate(of, RANKER), of) is None


def test_first_use_of_the_snapshot_that_got_too_old_does_not_take_the_missed_refresh_back() -> None:
    """The last snapshot came 4 hours ago, the next was overdue 2.5 hours ago, and it was first read 2 hours ago."""
    snapshots = [f"{DATA}@snapshot:{number}" for number in range(5)]
    facts = plain()
    facts += [
        entity(DATA, EntityKind.DATASET),
        *(entity(one, EntityKind.DATASET_VERSION, base=DATA) for one in snapshots),
    ]
    for number, one in enumerate(snapshots):
        made, read = (number - 8) * HOUR, -2 * HOUR if number == 4 else (number - 8) * HOUR
        facts.append(relation(link(DATA, one, RelationType.HAS_VERSION), made))
        facts.append(relation(link(RANKER, one, RelationType.READS), read, bucket(80)))
        facts.append(change(f"s{number}", DATA, made, kind=ChangeKind.DATASET, to_version=str(number)))
    of = scene(facts, incident(SHOP, 79))
    (missed,) = (found for found in of.candidates if found.change.kind is ChangeKind.STALENESS)
    assert missed.change.from_version == "4"
    assert rule_out(missed, of) is None


def test_rule_out_what_took_effect_after_the_onset() -> None:
    of = scene([*plain(), change("d", RANKER, bucket(60))], incident(SHOP, 79))
    found = rule_out(candidate(of, RANKER), of)
    assert found is not None
    assert found.reason == "after_onset"


def test_rule_out_what_was_taken_back_before_the_onset() -> None:
    out = change("out", RANKER, bucket(10), from_version="v1", to_version="v2")
    back = change("back", RANKER, bucket(20), from_version="v2", to_version="v1")
    of = scene([*plain(), out, back], incident(SHOP, 79))
    reasons = {one.change.id: rule_out(one, of) for one in of.candidates}
    assert reasons["out"] is not None
    assert reasons["out"].reason == "reverted_before_onset"
    assert reasons["back"] is None


def test_rule_out_nothing_that_came_in_time() -> None:
    of = scene([*plain(), change("d", RANKER, bucket(39))], incident(SHOP, 79))
    assert rule_out(candidate(of, RANKER), of) is None
    assert of.case.as_of_ns == at(bucket(79))
