"""Writing: replays, order, several writers, laws of merging."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from tests.contract.base import ContractBase, MakeStore, buckets, changes, closure, exposures
from whence.model.delta import Attribute, GraphDelta
from whence.model.kinds import EntityKind, RelationType
from whence.store.protocol import Store
from whence.testing.graphs import (
    START_S,
    at,
    attributes,
    change,
    connected,
    delta,
    edge,
    entity,
    exposure,
    key,
    link,
    operation,
    profile,
    relation,
)

A, B = key("a"), key("b")
A_CALLS_B = link(A, B)

STRANGE_TEXTS = (
    "café ☕ 日本語 😀",
    "'; DROP TABLE entity; --",
    "` }) DETACH DELETE n //",
    '"quoted" \\ back\\slash {"$json": [1]}',
    "100%_like*[a-z]?",
    "tab\tline\nreturn\r",
    "$param :name ?1 {key}",
)


def everything(suffix: str = "") -> GraphDelta:
    """One fact of every sort, with ``suffix`` at the end of every text."""
    node, other = f"{A}{suffix}", f"{B}{suffix}"
    calls = link(node, other, environment=f"env{suffix}")
    row: dict[str, Any] = {"writer": f"w{suffix}", "environment": f"env{suffix}", "operation": f"GET /{suffix}"}
    texts = {f"name{suffix}": f"value{suffix}"}
    return delta(
        entity(node, attributes=attributes(**texts)),
        entity(other),
        relation(calls),
        edge(calls, writer=f"w{suffix}"),
        operation(node, **row),
        exposure(node, other, **row),
        change(f"c{suffix}", node, environment=f"env{suffix}", actor=f"me{suffix}", summary=f"why{suffix}"),
        profile(f"{other}@version:1{suffix}", other, schema_hash=f"hash{suffix}"),
    )


async def contents(store: Store, suffix: str = "") -> dict[str, object]:
    """All that ``everything`` wrote, as the store gives it back."""
    node, other = f"{A}{suffix}", f"{B}{suffix}"
    graph = await store.upstream(closure(node))
    return {
        "entities": dict(graph.entities),
        "relations": graph.relations,
        "edges": set(await store.edge_rows(buckets(node, other))),
        "edge_rows": len(await store.edge_rows(buckets(node, other))),
        "operations": sorted(await store.operation_rows(buckets(node))),
        "exposures": sorted(await store.exposure_rows(exposures(node))),
        "changes": (await store.changes(changes())).items,
        "profiles": list(await store.profiles([other], at(1_000), 10)),
    }


class WriteContract(ContractBase):
    """Cases of ``upsert``."""

    async def test_upsert_everything_gives_it_back(self, store: Store) -> None:
        delta_ = everything()
        await self.put(store, delta_)
        found = await contents(store)
        assert found["entities"] == delta_.entities
        assert found["relations"] == tuple(delta_.relations.values())
        assert found["changes"] == tuple(delta_.changes.values())
        assert found["profiles"] == list(delta_.profiles.values())
        assert {name: len(found[name]) for name in ("edges", "operations", "exposures")} == {  # type: ignore[arg-type]
            "edges": 1,
            "operations": 1,
            "exposures": 1,
        }

    async def test_upsert_empty_delta_changes_nothing(self, store: Store) -> None:
        await self.put(store, everything())
        before = await contents(store)
        await self.put(store, GraphDelta())
        assert await contents(store) == before

    async def test_upsert_same_delta_again_changes_nothing(self, store: Store) -> None:
        await self.put(store, everything())
        before, counts = await contents(store), await store.counts()
        await self.put(store, everything(), everything())
        assert await contents(store) == before
        assert await store.counts() == counts

    async def test_upsert_strange_texts_come_back_unchanged(self, store: Store) -> None:
        await self.put(store, *(everything(text) for text in STRANGE_TEXTS))
        for text in STRANGE_TEXTS:
            wanted = everything(text)
            found = await contents(store, text)
            assert found["entities"] == wanted.entities
            assert found["relations"] == tuple(wanted.relations.values())
            assert found["edge_rows"] == 1
            assert [row[0:2] for row in found["operations"]] == [(f"{A}{text}", f"GET /{text}")]  # type: ignore[attr-defined]
            assert [row[0:3] for row in found["exposures"]] == [(f"{A}{text}", f"GET /{text}", f"{B}{text}")]  # type: ignore[attr-defined]
            assert found["profiles"] == list(wanted.profiles.values())
            assert await store.change(f"c{text}") == wanted.changes[f"c{text}"]

    async def test_upsert_keys_that_differ_in_case_only_stay_apart(self, store: Store) -> None:
        await self.put(store, entity(key("a")), entity(key("A")))
        assert await store.entity(key("a")) == entity(key("a"))
        assert await store.entity(key("A")) == entity(key("A"))

    async def test_upsert_later_counts_of_one_row_replace_it(self, store: Store) -> None:
        await self.put(store, delta(*connected(relation(A_CALLS_B)), edge(A_CALLS_B, spans=2)))
        await self.put(store, edge(A_CALLS_B, spans=5, errors=1.0))
        rows = await store.edge_rows(buckets(A, B))
        assert [(row.calls, row.errors) for row in rows] == [(5.0, 1.0)]

    async def test_upsert_older_counts_after_newer_change_nothing(self, store: Store) -> None:
        await self.put(store, *connected(relation(A_CALLS_B)), edge(A_CALLS_B, spans=5, errors=1.0))
        await self.put(store, edge(A_CALLS_B, spans=2, errors=2.0), operation(A, spans=1))
        await self.put(store, operation(A, spans=3), exposure(A, spans=3))
        await self.put(store, operation(A, spans=2), exposure(A, spans=2))
        assert [(row.calls, row.errors) for row in await store.edge_rows(buckets(A, B))] == [(5.0, 1.0)]
        assert [row.calls for row in await store.operation_rows(buckets(A))] == [3.0]
        assert [row.requests for row in await store.exposure_rows(exposures(A))] == [3.0]

    async def test_upsert_counts_with_equal_spans_keep_the_greater_tuple(self, store: Store) -> None:
        await self.put(store, *connected(relation(A_CALLS_B)), edge(A_CALLS_B, spans=2, calls=20.0, errors=1.0))
        await self.put(store, edge(A_CALLS_B, spans=2, calls=19.0, errors=5.0))
        await self.put(store, edge(A_CALLS_B, spans=2, calls=20.0, errors=1.0, latency=b""))
        await self.put(store, edge(A_CALLS_B, spans=2, calls=20.0, errors=2.0, latency=b"\x01\x00\x00\x80\x3f"))
        rows = await store.edge_rows(buckets(A, B))
        assert [row[2:] for row in rows] == [(20.0, 2.0, 0.0, b"\x01\x00\x00\x80\x3f", b"")]

    async def test_upsert_two_writers_of_one_bucket_both_count(self, store: Store) -> None:
        await self.put(store, *connected(relation(A_CALLS_B)), edge(A_CALLS_B, spans=2, writer="w1"))
        await self.put(store, edge(A_CALLS_B, spans=3, writer="w2"))
        assert sorted(row.calls for row in await store.edge_rows(buckets(A, B))) == [2.0, 3.0]

    async def test_upsert_concurrently_on_one_edge_loses_nothing(self, store: Store) -> None:
        deltas = [
            delta(*connected(relation(A_CALLS_B, second)), edge(A_CALLS_B, second, writer=f"w{writer}"))
            for second in range(8)
            for writer in range(3)
        ]
        await asyncio.gather(*(store.upsert(one) for one in deltas))
        await self.settle(store)
        rows = await store.edge_rows(buckets(A, B))
        assert sorted(row.start_s for row in rows) == sorted([START_S + second for second in range(8)] * 3)
        assert (await store.upstream(closure(A))).relations == (relation(A_CALLS_B, 0, 7),)

    async def test_upsert_from_two_stores_on_one_database_loses_nothing(
        self, store: Store, make_store: MakeStore
    ) -> None:
        other = make_store()
        await other.open()
        try:
            deltas = [
                delta(*connected(relation(A_CALLS_B, second)), edge(A_CALLS_B, 0, spans=second + 1, writer=f"w{side}"))
                for second in range(10)
                for side in range(2)
            ]
            await asyncio.gather(*((store, other)[i % 2].upsert(one) for i, one in enumerate(deltas)))
            await self.settle(other)
            await self.settle(store)
            for reader in (store, other):
                assert [row.calls for row in await reader.edge_rows(buckets(A, B))] == [10.0, 10.0]
                assert (await reader.upstream(closure(A))).relations == (relation(A_CALLS_B, 0, 9),)
        finally:
            await other.close()

    async def test_upsert_survives_reopening(self, store: Store, make_store: MakeStore) -> None:
        await self.put(store, everything())
        before = await contents(store)
        await store.close()
        again = make_store()
        await again.open()
        try:
            assert await contents(again) == before
        finally:
            await again.close()

    async def test_upsert_late_sighting_moves_first_seen_back(self, store: Store) -> None:
        seen = relation(A_CALLS_B, 50, 60, known_ns=at(61))
        await self.put(store, *connected(seen), entity(A, first_seen_ns=at(50), last_seen_ns=at(60)))
        await self.put(store, relation(A_CALLS_B, 20, 30, known_ns=at(90)), entity(A, first_seen_ns=at(-5)))
        graph = await store.upstream(closure(A))
        assert graph.relations == (replace(seen, first_seen_ns=at(20)),)
        assert (graph.entities[A].first_seen_ns, graph.entities[A].last_seen_ns) == (at(-5), at(60))

    async def test_upsert_relation_learned_earlier_keeps_the_earliest_knowledge(self, store: Store) -> None:
        await self.put(store, *connected(relation(A_CALLS_B, 50, known_ns=at(90))))
        await self.put(store, relation(A_CALLS_B, 50, known_ns=at(55)))
        assert [one.known_ns for one in (await store.upstream(closure(A))).relations] == [at(55)]

    async def test_upsert_attributes_keep_the_later_sighting(self, store: Store) -> None:
        await self.put(store, entity(A, attributes=attributes(at(5), owner="new", url="u")))
        await self.put(store, entity(A, attributes=attributes(at(1), owner="old", tier="1")))
        await self.put(store, entity(A, attributes=attributes(at(5), url="a")))
        found = await store.entity(A)
        assert found is not None
        assert found.attributes == (
            Attribute("owner", "new", at(5)),
            Attribute("tier", "1", at(1)),
            Attribute("url", "u", at(5)),
        )

    async def test_upsert_surer_kind_wins_in_any_order(self, store: Store) -> None:
        await self.put(store, entity(A, EntityKind.DATASET), entity(B, EntityKind.MODEL))
        await self.put(store, entity(A, EntityKind.MODEL), entity(B, EntityKind.DATASET))
        await self.put(store, entity(A, EntityKind.EXTERNAL), entity(B, EntityKind.EXTERNAL))
        kinds = {one.key: one.kind for one in (await store.entity(A), await store.entity(B)) if one}
        assert kinds == {A: EntityKind.MODEL, B: EntityKind.MODEL}

    async def test_upsert_unknown_ends_become_external(self, store: Store) -> None:
        version = key("b", "v1")
        await self.put(store, relation(link(A, version)), operation(B), exposure(key("c"), key("d")))
        ends = [await store.entity(one) for one in (A, version, B, key("c"), key("d"))]
        assert [(one.key, one.kind, one.base) for one in ends if one] == [
            (A, EntityKind.EXTERNAL, A),
            (version, EntityKind.EXTERNAL, B),
            (B, EntityKind.EXTERNAL, B),
            (key("c"), EntityKind.EXTERNAL, key("c")),
            (key("d"), EntityKind.EXTERNAL, key("d")),
        ]

    async def test_upsert_named_end_keeps_what_is_known_of_it(self, store: Store) -> None:
        known = entity(B, attributes=attributes(owner="me"))
        await self.put(store, known)
        await self.put(store, relation(A_CALLS_B, 10, 20))
        assert await store.entity(B) == known

    async def test_upsert_change_reported_again_replaces_it_but_not_when_it_was_known(self, store: Store) -> None:
        first = change("c", A, 10, summary="first")
        later = replace(first, summary="later", effective_ns=at(12), known_ns=at(30), reported_ns=at(30))
        await self.put(store, first)
        await self.put(store, later)
        await self.put(store, replace(first, summary="stale", known_ns=at(5), reported_ns=at(5)))
        assert await store.change("c") == replace(later, known_ns=at(5))

    async def test_upsert_profile_taken_again_keeps_the_later(self, store: Store) -> None:
        await self.put(store, profile("d@run:1", "d", 10, rows=1))
        await self.put(store, profile("d@run:1", "d", 20, rows=2))
        await self.put(store, profile("d@run:1", "d", 15, rows=3))
        assert list(await store.profiles(["d"], at(100), 5)) == [profile("d@run:1", "d", 20, rows=2)]

    async def test_upsert_layers_and_environments_are_relations_of_their_own(self, store: Store) -> None:
        relations = [relation(link(A, B, RelationType.READS, environment=env)) for env in ("", "production", "test")]
        await self.put(store, *connected(*relations))
        assert set((await store.upstream(closure(A))).relations) == set(relations)
