"""What may have caused it: who is a candidate, when it acts, and what requests touch when they meet it."""

from __future__ import annotations

import pytest

from tests.unit.rca.scenes import candidate, scene
from whence.model.change import Change
from whence.model.kinds import ChangeKind, EntityKind, RelationType
from whence.rca.candidates import Candidate, subjects_of
from whence.testing.cases import Met, bucket, incident, rollout, traffic, versioned
from whence.testing.graphs import Fact, at, change, entity, key, link, relation

SHOP, RANKER = key("shop"), key("ranker")
V1, V2 = key("ranker", "v1"), key("ranker", "v2")
DATA = "s3://lake#features"


def reported(one: Change) -> Candidate:
    """The roll-out as a candidate when somebody reported it."""
    return candidate(scene([*rollout(), one], incident(SHOP, 79)), RANKER)


def snapshots(*first: int) -> list[Fact]:
    """``ranker`` reads snapshots of some data, each from a bucket on."""
    seen = {f"{DATA}@snapshot:{number}": start for number, start in enumerate(first)}
    kinds = {"kind": EntityKind.DATASET, "type_": RelationType.READS}
    return versioned(RANKER, DATA, seen, 80, **kinds)


def test_gather_unannounced_version_is_an_inferred_change() -> None:
    found = candidate(scene(rollout(), incident(SHOP, 79)), RANKER)
    assert (found.change.recorded, found.change.kind, found.version) == (False, ChangeKind.DEPLOYMENT, V2)
    assert (set(found.new_nodes), set(found.old_nodes)) == ({V2}, {V1})


def test_gather_recorded_change_takes_the_place_of_the_inferred_one() -> None:
    found = candidate(
        scene([*rollout(), change("d1", RANKER, bucket(39), to_version="v2")], incident(SHOP, 79)), RANKER
    )
    assert (found.change.id, found.change.recorded, found.version) == ("d1", True, V2)
    assert found.change.from_version == "v1"


def test_gather_first_sight_beats_the_reported_time() -> None:
    found = candidate(
        scene([*rollout(), change("d1", RANKER, bucket(36), to_version="v2")], incident(SHOP, 79)), RANKER
    )
    assert found.acts_ns == at(bucket(40))
    assert found.change.effective_ns == at(bucket(36))


def test_gather_change_by_bare_name_finds_its_entity() -> None:
    found = candidate(
        scene([*rollout(), change("d1", "ranker", bucket(39), to_version="v2")], incident(SHOP, 79)), RANKER
    )
    assert (found.change.id, found.change.subject) == ("d1", "ranker")


def test_gather_two_reports_of_one_change_are_one_candidate() -> None:
    reports = [
        change("hook", RANKER, bucket(38), to_version="v2", source="openlineage"),
        change("mine", RANKER, bucket(40), to_version="v2"),
    ]
    found = candidate(scene([*rollout(), *reports], incident(SHOP, 79)), RANKER)
    assert (found.change.id, found.also_reported) == ("mine", ("hook",))


def test_gather_two_posts_about_one_version_both_keep_their_ids() -> None:
    reports = [change(one, RANKER, bucket(40), to_version="v2") for one in ("first", "second")]
    found = scene([*rollout(), *reports], incident(SHOP, 79)).candidates
    assert sorted(one.change.id for one in found) == ["first", "second"]


def test_gather_a_version_that_is_told_again_hours_later_is_one_candidate() -> None:
    told = change("made", RANKER, -9000, to_version="v2", source="openlineage")
    (found,) = scene(
        [*rollout(), told, change("live", RANKER, bucket(40), to_version="v2")], incident(SHOP, 79)
    ).candidates
    assert (found.change.id, found.also_reported) == ("live", ("made",))


def test_gather_a_version_that_was_left_and_came_again_are_two_candidates() -> None:
    reports = [
        change("early", RANKER, -9000, to_version="v2", source="openlineage"),
        change("back", RANKER, -6000, to_version="v1", source="openlineage"),
        change("late", RANKER, bucket(40), to_version="v2", source="openlineage"),
    ]
    found = scene([*rollout(), *reports], incident(SHOP, 79)).candidates
    assert {one.change.id for one in found} == {"early", "back", "late"}


def test_gather_later_versions_count_as_meeting_an_earlier_change() -> None:
    shop = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 20, key("ranker", "v3"): 50}, 80)]
    found = scene([*shop, *traffic(SHOP, range(80), {V1: Met(9)})], incident(SHOP, 79)).candidates
    (second,) = (one for one in found if one.version == V2)
    assert second.new_nodes == {V2, key("ranker", "v3")}
    assert second.old_nodes == {V1}


def test_gather_a_version_that_comes_back_stands_alone() -> None:
    back = change("back", RANKER, bucket(60), from_version="v2", to_version="v1")
    found = scene([*rollout(), back], incident(SHOP, 79)).candidates
    (one,) = (one for one in found if one.change.id == "back")
    assert (set(one.new_nodes), set(one.old_nodes)) == ({V1}, {V2})
    assert one.acts_ns == at(bucket(60))


def test_gather_snapshot_acts_when_it_is_first_read() -> None:
    facts = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9}, 80), relation(link(SHOP, RANKER))]
    posted = change("d", DATA, bucket(10), kind=ChangeKind.DATASET, to_version="1")
    found = candidate(scene([*facts, *snapshots(-9, 50), posted], incident(SHOP, 79)), DATA)
    assert found.acts_ns == at(bucket(50))


def test_gather_snapshot_of_data_that_are_served_without_a_version_acts_at_once() -> None:
    """A training job tells which snapshots it reads, but the service that serves them doesn't."""
    job = key("trainer")
    served = relation(link(RANKER, DATA, RelationType.READS), -9, bucket(80))
    facts: list[Fact] = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9}, 80), relation(link(SHOP, RANKER)), served]
    kinds = {"kind": EntityKind.DATASET, "type_": RelationType.READS}
    trained = versioned(job, DATA, {f"{DATA}@snapshot:0": -9}, 80, **kinds)
    posted = change("d", DATA, bucket(10), kind=ChangeKind.DATASET, to_version="1")
    found = candidate(scene([*facts, *trained, posted], incident(SHOP, 79)), DATA)
    assert (found.acts_ns, found.is_consumed, found.new_nodes) == (at(bucket(10)), True, frozenset())


def test_gather_snapshot_that_nobody_read_is_not_consumed() -> None:
    third = f"{DATA}@snapshot:2"
    facts: list[Fact] = [entity(SHOP), relation(link(SHOP, RANKER)), entity(RANKER), *snapshots(-9, 20)]
    facts += [
        entity(third, EntityKind.DATASET_VERSION, base=DATA),
        relation(link(DATA, third, RelationType.HAS_VERSION), bucket(30)),
    ]
    found = scene(facts, incident(SHOP, 79)).candidates
    assert {one.version: one.is_consumed for one in found} == {f"{DATA}@snapshot:1": True, third: False}


@pytest.mark.parametrize(
    ("subject", "expected"),
    [(RANKER, (RANKER,)), (V2, (RANKER,)), ("ranker", (RANKER,)), ("other", ()), ("otel://shop#other", ())],
)
def test_subjects_of_key_version_and_bare_name(subject: str, expected: tuple[str, ...]) -> None:
    assert subjects_of([change("d", subject)], [SHOP, RANKER]) == {"d": expected}
