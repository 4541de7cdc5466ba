"""Labels travel from data to model to service to caller, by version, and end where somebody declassified them."""

from __future__ import annotations

from whence.governance.carrying import carry
from whence.model.delta import Relation
from whence.model.graph import Subgraph
from whence.model.kinds import EntityKind, RelationType
from whence.testing.graphs import entity, key, link, relation

DATA, SCORER, V4, V5 = "s3://lake#people", "m#scorer", "m#scorer@version:4", "m#scorer@version:5"
CREDIT, CREDIT_V1, SHOP = key("credit"), key("credit", "v1"), key("shop")

RELATIONS = (
    relation(link(V5, DATA, RelationType.TRAINED_ON)),
    relation(link(SCORER, V5, RelationType.HAS_VERSION)),
    relation(link(CREDIT_V1, V5, RelationType.USES_MODEL)),
    relation(link(CREDIT, CREDIT_V1, RelationType.HAS_VERSION)),
    relation(link(SHOP, CREDIT)),
)


def downstream(*relations: Relation) -> Subgraph:
    nodes = {DATA, *(end for one in relations for end in (one.key.src, one.key.dst))}
    entities = {node: entity(node, EntityKind.SERVICE, base=node.partition("@")[0]) for node in nodes}
    return Subgraph((DATA,), entities, relations)


def reached(*ends_at: str, relations: tuple[Relation, ...] = RELATIONS) -> set[str]:
    return {one.node for one in carry(downstream(*relations), ends_at)}


def test_label_reaches_everything_downstream_by_the_shortest_path() -> None:
    found = {one.node: one.keys() for one in carry(downstream(*RELATIONS), ())}
    assert found.keys() == {DATA, V5, SCORER, CREDIT_V1, CREDIT, SHOP}
    assert found[SHOP] == (SHOP, CREDIT_V1, V5, DATA)
    assert found[DATA] == (DATA,)


def test_label_is_not_carried_by_a_version_that_was_made_without_it() -> None:
    other = relation(link(key("other"), V4, RelationType.USES_MODEL))
    assert key("other") not in reached(relations=(*RELATIONS, other))


def test_declassification_ends_it_at_a_version_or_at_a_whole_entity() -> None:
    assert reached(V5) == {DATA}
    assert reached(SCORER) == {DATA}
    assert reached(CREDIT) == {DATA, V5, SCORER}
    assert reached(DATA) == set()


def test_declassified_way_does_not_close_another() -> None:
    around = relation(link(SHOP, DATA, RelationType.READS))
    assert SHOP in reached(CREDIT, relations=(*RELATIONS, around))


def test_cycle_ends() -> None:
    back = relation(link(DATA, SHOP, RelationType.PRODUCED_BY))
    assert reached(relations=(*RELATIONS, back)) == reached()
