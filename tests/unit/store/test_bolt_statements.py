"""Text of the generated statements: names only from the schema, values only as parameters."""

from __future__ import annotations

import pytest

from whence.errors import InvalidQuery
from whence.model.kinds import RelationType
from whence.store.bolt import cypher, queries, schema
from whence.store.protocol import MAX_HOPS


def test_constraints_cover_the_key_of_every_table() -> None:
    constraints = [text for text in cypher.schema_statements() if "CONSTRAINT" in text]
    assert [text.partition("FOR ")[2] for text in constraints] == [
        "(n:Entity) REQUIRE (n.key) IS UNIQUE",
        "(n:Change) REQUIRE (n.id) IS UNIQUE",
        "(n:Profile) REQUIRE (n.version) IS UNIQUE",
        "(n:Document) REQUIRE (n.kind, n.id) IS UNIQUE",
        "(n:EdgeBucket) REQUIRE (n.owner, n.start_s, n.share) IS UNIQUE",
        "(n:OperationBucket) REQUIRE (n.owner, n.start_s, n.share) IS UNIQUE",
        "(n:ExposureBucket) REQUIRE (n.owner, n.start_s, n.share) IS UNIQUE",
    ]


def test_merge_of_counts_compares_the_rest_only_if_spans_tie() -> None:
    text = cypher.merge_counts(schema.OPERATION_BUCKETS)
    assert text == (
        "UNWIND $rows AS row MERGE (n:OperationBucket {owner: row[0], start_s: row[1], share: row[2]}) "
        "ON CREATE SET n.spans = -1, n.known_ns = row[3], n.operation = row[4], n.environment = row[5] "
        "SET n.lock = true REMOVE n.lock "
        "WITH collect([n, row]) AS locked UNWIND locked AS pair WITH pair[0] AS n, pair[1] AS row "
        "WHERE row[6] > n.spans OR (row[6] = n.spans AND "
        "[row[6], row[7], row[8], row[9], row[10], row[11], [byte IN row[12] | (byte + 256) % 256]] > "
        "[n.spans, n.calls, n.errors, n.origin_errors, n.error_logs, n.poor, "
        "[byte IN n.self_time | (byte + 256) % 256]]) "
        "SET n.spans = row[6], n.calls = row[7], n.errors = row[8], n.origin_errors = row[9], "
        "n.error_logs = row[10], n.poor = row[11], n.self_time = row[12]"
    )


@pytest.mark.parametrize("type_", RelationType)
def test_merge_of_relations_names_one_type_and_widens(type_: RelationType) -> None:
    assert cypher.merge_relations(type_) == (
        "UNWIND $rows AS row MATCH (a:Entity {key: row[0]}) MATCH (b:Entity {key: row[1]}) "
        f"MERGE (a)-[r:{type_.value} {{environment: row[2], layer: row[3]}}]->(b) "
        "ON CREATE SET r.first_seen_ns = row[4], r.last_seen_ns = row[5], r.active_until_ns = row[6], "
        "r.known_ns = row[7], r.id = row[8] "
        "ON MATCH SET r.first_seen_ns = CASE WHEN row[4] < r.first_seen_ns THEN row[4] ELSE r.first_seen_ns END, "
        "r.last_seen_ns = CASE WHEN row[5] > r.last_seen_ns THEN row[5] ELSE r.last_seen_ns END, "
        "r.active_until_ns = CASE WHEN row[6] > r.active_until_ns THEN row[6] ELSE r.active_until_ns END, "
        "r.known_ns = CASE WHEN row[7] < r.known_ns THEN row[7] ELSE r.known_ns END"
    )


def test_walk_names_every_type_and_its_bound() -> None:
    types = "CALLS|CONSUMES|DERIVED_FROM|EVALUATES|HAS_VERSION|PRODUCED_BY|READS|TRAINED_ON|USES_MODEL|USES_PROMPT"
    assert f"MATCH (root)-[steps:{types}*0..8]->(n)" in queries.nearest_nodes(8, downstream=False)
    assert f"MATCH (root)<-[steps:{types}*0..3]-(n)" in queries.keys_within(3, downstream=True)


@pytest.mark.parametrize("max_hops", [-1, MAX_HOPS + 1])
def test_walk_beyond_the_bound_is_refused(max_hops: int) -> None:
    with pytest.raises(InvalidQuery, match="max_hops"):
        queries.nearest_nodes(max_hops, downstream=False)


def test_hashes_of_different_parts_differ_though_their_texts_run_together() -> None:
    hashes = {schema.hash63(*parts) for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ('a","bc',))}
    assert len(hashes) == 5
    assert all(0 <= one < 2**63 for one in hashes)


def test_hashes_stay_as_they_are_in_databases() -> None:
    assert (
        schema.hash63("otel://shop#cart", "CALLS", "otel://shop#pay", "production", "observed") == 4171955782699407707
    )
