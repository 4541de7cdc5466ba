from __future__ import annotations

from whence.model.delta import ALL_REQUESTS
from whence.model.kinds import EntityKind
from whence.store.bolt.undescribed import undescribed_entities, undescribed_relations
from whence.testing.graphs import at, delta, edge, entity, exposure, key, link, operation, relation

A, B, C = key("a"), key("b"), key("c")


def test_entities_that_are_only_named_get_stand_ins_from_their_first_mention() -> None:
    facts = delta(entity(A), relation(link(A, B), 50), edge(link(A, B), 20), operation(C, 70), exposure(C, B, 60))
    found = undescribed_entities(facts)
    assert {one.key: (one.kind, one.first_seen_ns) for one in found.values()} == {
        B: (EntityKind.EXTERNAL, at(20)),
        C: (EntityKind.EXTERNAL, at(60)),
    }


def test_the_row_of_all_requests_names_no_entity() -> None:
    assert undescribed_entities(delta(entity(A), exposure(A, ALL_REQUESTS))) == {}


def test_relation_that_only_rows_name_was_there_when_it_was_first_counted() -> None:
    described, counted = link(A, B), link(B, C)
    found = undescribed_relations(delta(relation(described), edge(described), edge(counted, 30), edge(counted, 20)))
    assert found == [relation(counted, 20)]
