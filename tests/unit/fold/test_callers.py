"""Calls by short id: a caller is named in any order, and nothing is kept without bound."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from whence.fold import Callers, callers
from whence.model.delta import GraphDelta, Relation, RelationKey, merge_all
from whence.model.kinds import RelationType
from whence.model.spans import CalledBy, CallerName

SHOP, PAY = "otel://shop#storefront@version:v1", "otel://shop#payment@version:v2"
NAME = CallerName("0a1b2c3d", SHOP)
CALL = CalledBy("0a1b2c3d", PAY, "production", 10, 20, 80)


def calls(delta: GraphDelta) -> set[tuple[str, str]]:
    return {(key.src, key.dst) for key in delta.relations}


def test_call_by_a_caller_that_named_itself_is_a_relation_without_counts() -> None:
    heard = Callers()
    assert heard.hear([NAME], [], 1) == GraphDelta()
    key = RelationKey(SHOP, RelationType.CALLS, PAY, "production")
    assert heard.hear([], [CALL], 2) == GraphDelta(relations={key: Relation(key, 10, 20, 80, 2)})


def test_call_waits_for_the_name_of_its_caller_and_is_told_once() -> None:
    heard = Callers()
    earlier, later = CALL, CALL._replace(first_ns=15, last_ns=40, active_until_ns=100)
    assert heard.hear([], [earlier], 1) == heard.hear([], [later], 2) == GraphDelta()
    (relation,) = heard.hear([NAME], [], 3).relations.values()
    assert (relation.first_seen_ns, relation.last_seen_ns, relation.active_until_ns) == (10, 40, 100)
    assert heard.hear([NAME], [], 4) == GraphDelta()


def test_call_by_somebody_whom_nobody_names_is_no_relation() -> None:
    heard = Callers()
    assert heard.hear([NAME], [CALL._replace(short_id="ffffffff")], 1) == GraphDelta()


def test_strangers_push_out_the_oldest_of_what_waits_and_no_more() -> None:
    heard = Callers()
    for number in range(callers.MAX_WAITING + 1):
        heard.hear([], [CALL._replace(short_id=f"{number:08x}")], 1)
    assert calls(heard.hear([CallerName(f"{0:08x}", SHOP)], [], 2)) == set()
    assert calls(heard.hear([CallerName(f"{1:08x}", SHOP)], [], 2)) == {(SHOP, PAY)}


IDS = st.sampled_from(["00000000", "00000001", "00000002"])
NAMES = IDS.map(lambda short: CallerName(short, f"otel://shop#caller-{short}"))
CALLS = st.builds(CalledBy, IDS, st.sampled_from([SHOP, PAY]), st.just(""), *[st.integers(1, 9)] * 3)


@given(st.lists(NAMES | CALLS), st.randoms(use_true_random=False))
def test_order_in_which_reports_come_does_not_matter_for_who_calls_whom(
    reports: list[CallerName | CalledBy], random: Random
) -> None:
    shuffled = list(reports)
    random.shuffle(shuffled)
    assert calls(heard_one_by_one(reports)) == calls(heard_one_by_one(shuffled))


def heard_one_by_one(reports: list[CallerName | CalledBy]) -> GraphDelta:
    heard = Callers()
    return merge_all(
        heard.hear([one], [], 1) if isinstance(one, CallerName) else heard.hear([], [one], 1) for one in reports
    )
