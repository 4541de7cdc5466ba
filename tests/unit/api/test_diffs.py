from __future__ import annotations

from whence.api.diffs import VersionShift, diff
from whence.model.delta import Entity, Relation
from whence.model.graph import Subgraph
from whence.model.kinds import EntityKind
from whence.testing.graphs import entity, key, link, relation

A, B, C = key("a"), key("b"), key("c")
A1, B1, B2 = key("a", "1"), key("b", "1"), key("b", "2")


def version(of: str, base: str) -> Entity:
    return entity(of, EntityKind.SERVICE_VERSION, base=base)


def graph(*entities: Entity, relations: tuple[Relation, ...] = ()) -> Subgraph:
    return Subgraph((A,), {one.key: one for one in entities}, relations)


def test_diff_of_a_graph_with_itself_is_empty() -> None:
    same = graph(entity(A), version(A1, A), relations=(relation(link(A1, B1)),))
    assert diff(same, same) == ((), (), (), (), ())


def test_diff_lists_entities_that_came_and_went_and_no_versions() -> None:
    found = diff(graph(entity(A), entity(B), version(B1, B)), graph(entity(A), entity(C)))
    assert ([one.key for one in found.added], [one.key for one in found.removed]) == ([C], [B])
    assert found.shifts == ()


def test_diff_tells_a_roll_out_as_a_shift_and_not_as_relations() -> None:
    before = graph(entity(A), entity(B), version(A1, A), version(B1, B), relations=(relation(link(A1, B1)),))
    after = graph(entity(A), entity(B), version(A1, A), version(B2, B), relations=(relation(link(A1, B2)),))
    found = diff(before, after)
    assert (found.added_relations, found.removed_relations) == ((), ())
    assert found.shifts == (VersionShift(B, (B1,), (B2,)),)


def test_diff_knows_an_entity_by_its_versions_alone() -> None:
    found = diff(graph(entity(A)), graph(entity(A), version(B1, B)))
    assert [one.key for one in found.added] == [B1]
    assert diff(graph(version(B1, B)), graph(version(B2, B))).shifts == (VersionShift(B, (B1,), (B2,)),)
