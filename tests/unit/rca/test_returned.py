"""Versions that are in use again without anybody having said so."""

from __future__ import annotations

from tests.unit.rca.scenes import scene
from whence.model.change import Change
from whence.model.kinds import ChangeKind, EntityKind, RelationType
from whence.rca.rank import rank
from whence.testing.cases import Met, bucket, case_of, incident, traffic, versioned
from whence.testing.graphs import Fact, at, change, delta, entity, key

SHOP, BASE, V1, V2 = key("shop"), key("scorer"), key("scorer", "v1"), key("scorer", "v2")
BEFORE, AFTER = range(40), range(40, 80)


def model(*facts: Fact) -> list[Fact]:
    """``shop`` used v1 of a model long ago, then v2."""
    used = versioned(SHOP, BASE, {V1: -4000, V2: -2000}, 80, kind=EntityKind.MODEL, type_=RelationType.USES_MODEL)
    return [entity(SHOP), *used, *facts]


def unrecorded(facts: list[Fact]) -> list[Change]:
    return [one.change for one in scene(facts, incident(SHOP, 60), 80).candidates if one.change.id.startswith("back-")]


def rolled_back(bad: int = 0) -> list[Fact]:
    return [*traffic(SHOP, BEFORE, {V2: Met(30)}), *traffic(SHOP, AFTER, {V1: Met(30, bad)})]


def test_a_version_that_took_over_again_is_a_change() -> None:
    (found,) = unrecorded(model(*rolled_back()))
    assert (found.subject, found.from_version, found.to_version, found.recorded) == (BASE, "v2", "v1", False)
    assert found.effective_ns == at(bucket(40))


def test_a_version_that_came_back_and_hurts_is_the_first_suspect() -> None:
    answer = rank(case_of(delta(*model(*rolled_back(bad=9))), incident(SHOP, 60), as_of_ns=at(bucket(80))))
    assert answer.suspects[0].change.to_version == "v1"


def test_a_recorded_roll_back_is_told_once() -> None:
    told = change("back", BASE, bucket(39), to_version="v1", kind=ChangeKind.MODEL)
    assert unrecorded(model(told, *rolled_back())) == []


def test_a_version_that_was_in_use_all_along_did_not_come_back() -> None:
    both = traffic(SHOP, BEFORE, {V1: Met(1), V2: Met(30)})
    assert unrecorded(model(*both, *traffic(SHOP, AFTER, {V1: Met(30)}))) == []


def test_an_old_version_that_turns_up_now_and_then_did_not_come_back() -> None:
    facts = [*traffic(SHOP, BEFORE, {V2: Met(30)}), *traffic(SHOP, AFTER, {V1: Met(2), V2: Met(30)})]
    assert unrecorded(model(*facts)) == []


def test_after_few_requests_nothing_came_back() -> None:
    facts = [*traffic(SHOP, range(36, 40), {V2: Met(3)}), *traffic(SHOP, AFTER, {V1: Met(30)})]
    assert unrecorded(model(*facts)) == []


def test_a_new_version_is_no_return() -> None:
    new = key("scorer", "v3")
    facts = [
        entity(SHOP),
        *versioned(SHOP, BASE, {V2: -2000, new: 40}, 80, kind=EntityKind.MODEL, type_=RelationType.USES_MODEL),
        *traffic(SHOP, BEFORE, {V2: Met(30)}),
        *traffic(SHOP, AFTER, {new: Met(30)}),
    ]
    assert unrecorded(facts) == []
