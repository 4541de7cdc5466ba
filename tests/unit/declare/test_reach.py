"""How far a change of one column reaches: along known columns, past what is known not to use it, else everywhere."""

from __future__ import annotations

from whence.declare.declared import Declared
from whence.declare.formats import read_files
from whence.declare.reach import Reached, reached
from whence.declare.statements import Source
from whence.model.delta import Attribute, Entity, Relation
from whence.model.graph import Subgraph
from whence.model.kinds import EntityKind, RelationType
from whence.testing.graphs import at, entity, key, link, relation

CLICKS, FEATURES, REPORT = (f"postgres://db:5432#shop.{name}" for name in ("clicks", "features", "report"))
JOB, RANK, SHOP = "jobs#build", key("ranking"), key("storefront")


def table(name: str, **columns: str) -> Entity:
    known = (Attribute(f"column.{column}", origins, at(0)) for column, origins in columns.items())
    return entity(name, EntityKind.DATASET, attributes=tuple(sorted(known)))


def depends(src: str, dst: str, type_: RelationType) -> Relation:
    return relation(link(src, dst, type_))


def changed(column: str, *facts: Entity | Relation, yaml: str = "") -> Reached:
    entities = {one.key: one for one in (table(CLICKS), *facts) if isinstance(one, Entity)}
    relations = tuple(one for one in facts if isinstance(one, Relation))
    ends = {end for one in relations for end in (one.key.src, one.key.dst)}
    entities = {**{end: entity(end) for end in ends}, **entities}
    readings = read_files({"whence.yaml": f"whence: 1\n{yaml}"})
    assert [one.problem for one in readings] == [""]
    declared = Declared([Source("repo", "", readings[0].statements)], entities)
    return reached(Subgraph((CLICKS,), entities, relations, dict.fromkeys(entities, 0)), declared, column)


def hit(found: Reached) -> dict[str, bool]:
    return {key: reach.is_known for key, reach in found.reach.items() if key != CLICKS}


BUILT = (
    table(FEATURES, rate=f"{CLICKS}@column:item_id", total=f"{CLICKS}@column:amount"),
    depends(FEATURES, CLICKS, RelationType.DERIVED_FROM),
    depends(FEATURES, JOB, RelationType.PRODUCED_BY),
    depends(JOB, CLICKS, RelationType.READS),
)


def test_change_reaches_exactly_the_columns_made_from_it() -> None:
    found = changed("AMOUNT", *BUILT)
    assert hit(found) == {FEATURES: True, JOB: True}
    assert found.reach[FEATURES].columns == frozenset({"total"})


def test_column_that_nothing_is_made_from_reaches_nothing() -> None:
    found = changed("referrer", *BUILT)
    assert hit(found) == {}
    assert (found.subgraph.relations, set(found.subgraph.entities)) == ((), {CLICKS})


def test_columns_are_followed_through_several_tables() -> None:
    report = table(REPORT, income=f"{FEATURES}@column:total", visits=f"{FEATURES}@column:rate")
    found = changed("amount", *BUILT, report, depends(REPORT, FEATURES, RelationType.DERIVED_FROM))
    assert found.reach[REPORT].columns == frozenset({"income"})
    assert found.subgraph.depth[REPORT] == 2


def test_job_may_use_anything_if_one_of_its_outputs_tells_no_columns() -> None:
    other = depends("s3://lake#dump", JOB, RelationType.PRODUCED_BY)
    assert hit(changed("referrer", *BUILT, other)) == {JOB: False, "s3://lake#dump": False}


def test_reader_is_perhaps_hit_until_a_file_says_which_columns_it_reads() -> None:
    reads, calls = depends(RANK, CLICKS, RelationType.READS), depends(SHOP, RANK, RelationType.CALLS)
    assert hit(changed("amount", reads, calls)) == {RANK: False, SHOP: False}
    says = "things: [{name: ranking, reads: [{name: clicks, columns: [Amount]}]}]"
    assert hit(changed("amount", reads, calls, yaml=says))[RANK]
    assert hit(changed("referrer", reads, calls, yaml=says)) == {}


def test_files_may_say_where_columns_come_from() -> None:
    says = "things: [{name: features, kind: dataset, columns: {total: [clicks.amount]}}]"
    derived = depends(FEATURES, CLICKS, RelationType.DERIVED_FROM)
    assert changed("amount", derived, yaml=says).reach[FEATURES].columns == frozenset({"total"})
    assert hit(changed("item_id", derived, yaml=says)) == {}


def test_column_of_any_or_of_a_whole_origin_is_always_hit() -> None:
    derived = depends(FEATURES, CLICKS, RelationType.DERIVED_FROM)
    for origins in ("*", CLICKS):
        found = changed("amount", table(FEATURES, total=origins), derived)
        assert found.reach[FEATURES].columns == frozenset({"total"})


def test_cycle_ends() -> None:
    again = table(CLICKS, amount=f"{FEATURES}@column:total")
    found = changed("amount", *BUILT, again, depends(CLICKS, FEATURES, RelationType.DERIVED_FROM))
    assert found.reach[CLICKS].columns == frozenset({"amount"})
