"""How Neo4j means to run each statement: by seeking, breadth first, without searching a label from end to end.

A changed word can turn milliseconds into never, which no small test would notice. The planner decides by what it
counted, so it is asked twice: with nothing in the database, and with a graph in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain
from typing import Any

import neo4j
import pytest

from tests.neo4j_server import Neo4jAddress, empty
from whence.model.kinds import RelationType
from whence.store.bolt import BoltStore, cypher, queries, schema
from whence.store.protocol import MAX_HOPS
from whence.testing.layered_graphs import batches, folded, topology

pytestmark = pytest.mark.neo4j

SCANS = {"AllNodesScan", "NodeByLabelScan", "DirectedRelationshipTypeScan", "DirectedAllRelationshipsScan"}
ARGUMENTS: dict[str, Any] = {
    **dict.fromkeys(("from_ns", "from_s", "number", "before_ns", "created_ns"), 1),
    **dict.fromkeys(("to_ns", "to_s", "known_ns", "owner"), 2),
    **dict.fromkeys(("limit", "length"), 10),
    **dict.fromkeys(("key", "name", "folded", "suffix", "base", "id", "kind", "body", "text", "operation"), "a"),
    **dict.fromkeys(("roots", "settled", "nodes", "keys", "subjects", "bases", "datasets", "words"), ["a", "b"]),
    "word": "checkout",
    "environment": "production",
    "layers": ["observed", "declared"],
    "types": None,
    "kinds": None,
    "owners": [1, 2],
    "versions": False,
    "rows": [[]],
}
SEEKS = {
    queries.EDGE_ROWS: "EdgeBucket(owner, start_s, share)",
    queries.OPERATION_ROWS: "OperationBucket(owner, start_s, share)",
    queries.EXPOSURE_ROWS: "ExposureBucket(owner, start_s, share)",
    queries.DEPENDENCIES: "Entity(key)",
    queries.CHANGES_OF_ALL: "Change(effective_ns)",
    queries.CHANGES_OF_SUBJECTS: "Change(subject, effective_ns)",
    queries.CHANGE: "Change(id)",
    queries.VERSIONS: "Entity(key)",
    queries.PROFILES_BEFORE: "Profile(dataset, at_ns)",
    queries.ENTITY: "Entity(key)",
    queries.ENTITIES_BY_KEY: "Entity(key)",
    queries.NAMED: "Entity(folded)",
    queries.LOOKALIKES: "Entity(key)",
    queries.SEARCH_ALL: "Entity(key)",
    queries.SEARCH_VERSIONS: "Entity(base)",
    queries.SAVE_DOCUMENT: "Document(kind, id)",
    queries.DELETE_DOCUMENT: "Document(kind, id)",
    queries.DOCUMENT: "Document(kind, id)",
    queries.DOCUMENTS: "Document(kind, created_ns)",
}
WRITES = {
    **{cypher.lock_nodes(one): one.label for one in (schema.ENTITIES, schema.CHANGES, schema.PROFILES)},
    **{cypher.write_nodes(one): one.label for one in (schema.ENTITIES, schema.CHANGES, schema.PROFILES)},
    **{cypher.merge_counts(one): one.label for one in schema.COUNT_TABLES},
    **{cypher.merge_relations(one): "Entity" for one in RelationType},
    cypher.RELABEL_ENTITIES: "Entity",
}

Plan = list[tuple[str, str]]


class Planner:
    """Asks the server what it would do."""

    def __init__(self, driver: neo4j.Driver) -> None:
        self._driver = driver

    def plan(self, text: str) -> Plan:
        """Operators with their details, the last to run first."""
        summary = self._driver.execute_query(f"EXPLAIN {text}", ARGUMENTS).summary
        assert summary.plan is not None
        return list(_operators(summary.plan))


def _operators(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield plan["operatorType"].partition("@")[0], plan["args"].get("Details", "")
    yield from chain.from_iterable(map(_operators, plan.get("children", ())))


@pytest.fixture(scope="module", params=["empty", "filled"])
def planner(neo4j_address: Neo4jAddress, request: pytest.FixtureRequest) -> Iterator[Planner]:
    empty(neo4j_address)
    asyncio.run(_prepare(neo4j_address, filled=request.param == "filled"))
    with neo4j.GraphDatabase.driver(neo4j_address.uri, auth=neo4j_address.auth) as driver:
        driver.execute_query("CALL db.clearQueryCaches()")
        yield Planner(driver)


async def _prepare(address: Neo4jAddress, *, filled: bool) -> None:
    user, password = address.auth or ("", "")
    store = BoltStore(address.uri, user=user, password=password)
    await store.open()
    if filled:
        for delta in chain(topology(7_000, seed=1), batches(folded(0, 1, buckets=1), 4_000)):
            await store.upsert(delta)
    await store.close()


def details(plan: Plan, operator: str) -> list[str]:
    return [text for name, text in plan if name == operator]


@pytest.mark.parametrize("downstream", [False, True])
@pytest.mark.parametrize("max_hops", [2, 3, 8, MAX_HOPS])
def test_walk_of_many_hops_is_pruned_and_breadth_first(planner: Planner, max_hops: int, downstream: bool) -> None:
    for text in (
        queries.nearest_nodes(max_hops, downstream=downstream),
        queries.keys_within(max_hops, downstream=downstream),
    ):
        plan = planner.plan(text)
        operators = [name for name, _ in plan]
        assert "VarLengthExpand(Pruning,BFS,All)" in operators
        assert "NodeUniqueIndexSeek" in operators
        assert SCANS.isdisjoint(operators)


@pytest.mark.parametrize("text", SEEKS)
def test_read_seeks_in_its_index(planner: Planner, text: str) -> None:
    plan = planner.plan(text)
    assert any("Index" in name and SEEKS[text] in detail for name, detail in plan), plan
    assert {*SCANS, "CartesianProduct"}.isdisjoint(name for name, _ in plan)


@pytest.mark.parametrize("text", WRITES)
def test_write_seeks_every_node_and_locks_it(planner: Planner, text: str) -> None:
    plan = planner.plan(text)
    assert any(WRITES[text] in detail for detail in details(plan, "NodeUniqueIndexSeek(Locking)")), plan
    assert SCANS.isdisjoint(name for name, _ in plan)


@pytest.mark.parametrize("table", schema.COUNT_TABLES, ids=lambda table: table.label)
def test_counts_are_compared_after_the_lock(planner: Planner, table: schema.CountTable) -> None:
    operators = [name for name, _ in planner.plan(cypher.merge_counts(table))]
    lock, barrier = operators.index("SetProperty"), operators.index("EagerAggregation")
    assert barrier < lock
    assert "CacheProperties" not in operators[barrier:]


@pytest.mark.parametrize("table", [schema.ENTITIES, schema.CHANGES, schema.PROFILES], ids=lambda table: table.label)
def test_nodes_are_read_after_the_lock(planner: Planner, table: schema.NodeTable) -> None:
    operators = [name for name, _ in planner.plan(cypher.lock_nodes(table))]
    barrier = len(operators) - 1 - operators[::-1].index("EagerAggregation")
    assert "SetProperty" in operators[barrier:]
    assert "CacheProperties" not in operators[barrier:]
