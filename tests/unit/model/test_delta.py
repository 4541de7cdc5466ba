"""The laws of ``merge``, on which every replay and every second writer relies, and what it keeps of two facts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.model.strategies import deltas
from whence.model.delta import Attribute, EdgeCounts, GraphDelta, merge, merge_all, merge_entity
from whence.model.kinds import EntityKind
from whence.testing.graphs import at, attributes, change, delta, edge, entity, key, link, profile, relation

A, B = key("a"), key("b")


@given(deltas(), deltas())
def test_merge_either_way_round_is_the_same(left: GraphDelta, right: GraphDelta) -> None:
    assert merge(left, right) == merge(right, left)


@given(deltas(), deltas(), deltas())
def test_merge_in_any_grouping_is_the_same(one: GraphDelta, two: GraphDelta, three: GraphDelta) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@given(deltas(), deltas())
def test_merge_of_what_is_already_in_changes_nothing(left: GraphDelta, right: GraphDelta) -> None:
    both = merge(left, right)
    assert merge(left, left) == left
    assert merge(both, left) == both
    assert merge(both, right) == both


@given(deltas())
def test_merge_with_nothing_changes_nothing(one: GraphDelta) -> None:
    assert merge(one, GraphDelta()) == one
    assert merge(GraphDelta(), one) == one


@given(st.lists(deltas(), max_size=4), st.randoms(use_true_random=False))
def test_merge_all_does_not_mind_order_or_repeats(parts: list[GraphDelta], random: object) -> None:
    told = parts + parts[:2]
    random.shuffle(told)  # type: ignore[attr-defined]
    assert merge_all(told) == merge_all(parts)


@given(deltas(), deltas())
def test_merge_leaves_its_arguments_alone(left: GraphDelta, right: GraphDelta) -> None:
    before = repr((left, right))
    merge(left, right)
    assert repr((left, right)) == before


@given(deltas(), deltas())
def test_merge_has_every_key_of_both_and_no_other(left: GraphDelta, right: GraphDelta) -> None:
    both = merge(left, right)
    assert both.edges.keys() == left.edges.keys() | right.edges.keys()
    assert both.entities.keys() == left.entities.keys() | right.entities.keys()
    assert max(left.rows, right.rows) <= both.rows <= left.rows + right.rows


def test_rows_counts_the_facts_of_every_part() -> None:
    assert GraphDelta().rows == 0
    assert delta(entity(A), relation(link(A, B)), edge(link(A, B)), change("c", A), profile("v", "d")).rows == 5


def test_counts_with_more_spans_win_whole() -> None:
    row, fewer = edge(link(A, B), spans=2, errors=2.0)
    more = EdgeCounts(3, 3.0, 0.0, 0.0, b"", b"")
    assert merge(GraphDelta(edges={row: fewer}), GraphDelta(edges={row: more})).edges == {row: more}


def test_entity_kind_of_a_surer_sighting_wins() -> None:
    seen = [entity(A, kind) for kind in (EntityKind.EXTERNAL, EntityKind.MODEL, EntityKind.DATASET)]
    assert merge_all(delta(one) for one in seen).entities[A].kind is EntityKind.MODEL
    assert merge_all(delta(one) for one in seen[::2]).entities[A].kind is EntityKind.DATASET


def test_entity_attributes_are_each_from_their_later_sighting() -> None:
    early = entity(A, attributes=attributes(at(1), owner="old", url="u"))
    late = entity(A, attributes=attributes(at(2), owner="new", tier="1"))
    assert merge_entity(early, late).attributes == (
        Attribute("owner", "new", at(2)),
        Attribute("tier", "1", at(2)),
        Attribute("url", "u", at(1)),
    )


def test_entity_attribute_lookup_and_version() -> None:
    one = entity(key("a", "v1"), base=A, attributes=attributes(owner="me"))
    assert (one.attribute("owner"), one.attribute("url"), one.is_version) == ("me", None, True)
    assert not entity(A).is_version


def test_change_reported_later_wins_and_stays_known_since_the_first_report() -> None:
    first = change("c", A, 1, summary="first")
    later = replace(first, summary="later", known_ns=at(9), reported_ns=at(9))
    assert merge(delta(later), delta(first)).changes["c"] == replace(later, known_ns=at(1))
