"""Reading counts: edge, operation and exposure rows, and snapshot profiles."""

from __future__ import annotations

from tests.contract.base import ContractBase, buckets, exposures
from whence.model.delta import ALL_REQUESTS
from whence.model.graph import Dependency, EdgeRow, ExposureRow, OperationRow
from whence.model.kinds import EntityKind, Layer, RelationType
from whence.model.sketch import encode
from whence.store.protocol import DependencyQuery, Store
from whence.testing.graphs import (
    START_S,
    at,
    connected,
    edge,
    entity,
    example,
    exposure,
    key,
    link,
    operation,
    profile,
    relation,
)

A, B, C = key("a"), key("b"), key("c")
A_CALLS_B, B_CALLS_C = link(A, B), link(B, C)
SKETCH = encode({3: 1.5, 40: 2.0})


class RowContract(ContractBase):
    """Cases of ``edge_rows``, ``operation_rows``, ``exposure_rows`` and ``profiles``."""

    async def test_edge_rows_give_every_column(self, store: Store) -> None:
        row = edge(A_CALLS_B, 30, 2, calls=20.5, errors=3.5, origin_errors=1.25, latency=SKETCH, gap=b"")
        await self.put(store, *connected(relation(A_CALLS_B)), row)
        found = list(await store.edge_rows(buckets(A, B)))
        assert found == [EdgeRow(A_CALLS_B, START_S + 30, 20.5, 3.5, 1.25, SKETCH, b"")]
        assert type(found[0].relation) is type(A_CALLS_B)

    async def test_edge_rows_leave_out_latency_where_it_is_not_wanted(self, store: Store) -> None:
        await self.put(store, *connected(relation(A_CALLS_B)), edge(A_CALLS_B, 30, 2, latency=SKETCH, gap=SKETCH))
        (found,) = await store.edge_rows(buckets(A, B, latency=False))
        assert (found.latency, found.gap) == (b"", SKETCH)

    async def test_edge_rows_need_both_ends_among_the_nodes(self, store: Store) -> None:
        await self.put(store, *connected(relation(A_CALLS_B), relation(B_CALLS_C)), edge(A_CALLS_B), edge(B_CALLS_C))
        assert {row.relation for row in await store.edge_rows(buckets(A, B))} == {A_CALLS_B}
        assert {row.relation for row in await store.edge_rows(buckets(A, C))} == set()
        assert {row.relation for row in await store.edge_rows(buckets(A, B, C, B))} == {A_CALLS_B, B_CALLS_C}

    async def test_examples_keep_the_latest_trace_of_each_relation_whatever_the_order(self, store: Store) -> None:
        live = A_CALLS_B._replace(environment="production")
        told = [example(A_CALLS_B, 9, 1), example(A_CALLS_B, 9, 3), example(A_CALLS_B, 9, 2), example(A_CALLS_B, 4, 7)]
        await self.put(store, *connected(relation(A_CALLS_B), relation(live), relation(B_CALLS_C)))
        for one in (*told, example(live, 1, 5)):
            await self.put(store, one)
        found = await store.examples([A, B, B, C, key("x")])
        assert found == dict([example(A_CALLS_B, 9, 3), example(live, 1, 5)])
        assert not await store.examples([A, C])
        assert not await store.examples([])

    async def test_example_before_its_relation_is_kept(self, store: Store) -> None:
        await self.put(store, example(A_CALLS_B, 5))
        await self.put(store, *connected(relation(A_CALLS_B, 2, 9)))
        assert await store.examples([A, B]) == dict([example(A_CALLS_B, 5)])

    async def test_edge_rows_without_duplicates_when_a_node_is_named_twice(self, store: Store) -> None:
        loop = link(A, A)
        await self.put(store, *connected(relation(loop)), edge(loop))
        assert len(await store.edge_rows(buckets(A, A))) == 1

    async def test_rows_of_no_nodes_or_unknown_nodes_are_none(self, store: Store) -> None:
        await self.put(store, *connected(relation(A_CALLS_B)), edge(A_CALLS_B), operation(A), exposure(A))
        assert not await store.edge_rows(buckets())
        assert not await store.operation_rows(buckets())
        assert not await store.edge_rows(buckets(key("x"), key("y")))
        assert not await store.operation_rows(buckets(key("x")))
        assert not await store.exposure_rows(exposures(key("x")))

    async def test_rows_window_holds_its_start_and_not_its_end(self, store: Store) -> None:
        await self.put(
            store, *connected(relation(A_CALLS_B)), edge(A_CALLS_B, 15), operation(A, 15), exposure(A, B, 15)
        )
        for start, end, found in ((0, 15, 0), (0, 16, 1), (15, 30, 1), (16, 30, 0), (15, 15, 0)):
            window = {"from_s": START_S + start, "to_s": START_S + end}
            rows = (
                await store.edge_rows(buckets(A, B, **window)),
                await store.operation_rows(buckets(A, **window)),
                await store.exposure_rows(exposures(A, **window)),
            )
            assert (start, end, [len(one) for one in rows]) == (start, end, [found] * 3)

    async def test_edge_rows_environment_is_exact(self, store: Store) -> None:
        live, unnamed = A_CALLS_B._replace(environment="production"), A_CALLS_B
        await self.put(store, *connected(relation(live), relation(unnamed)), edge(live), edge(unnamed))
        found = {
            environment: {row.relation for row in await store.edge_rows(buckets(A, B, environment=environment))}
            for environment in (None, "production", "", "test")
        }
        assert found == {None: {live, unnamed}, "production": {live}, "": {unnamed}, "test": set()}

    async def test_operation_and_exposure_rows_environment_is_exact(self, store: Store) -> None:
        for named, spans in (("production", 2), ("", 3)):
            await self.put(
                store,
                operation(A, spans=spans, environment=named),
                exposure(A, spans=spans, environment=named),
            )
        for environment, expected in ((None, {2.0, 3.0}), ("production", {2.0}), ("", {3.0}), ("test", set())):
            operations = await store.operation_rows(buckets(A, environment=environment))
            entries = await store.exposure_rows(exposures(A, environment=environment))
            assert {row.calls for row in operations} == expected
            assert {row.requests for row in entries} == expected

    async def test_rows_known_at_leave_out_writers_that_began_later(self, store: Store) -> None:
        await self.put(store, *connected(relation(A_CALLS_B)))
        for spans, writer in ((1, "timeless"), (2, f"host-7-{START_S + 100}"), (3, f"host-7-{START_S + 200}")):
            await self.put(
                store,
                edge(A_CALLS_B, 0, spans, writer=writer),
                operation(A, 0, spans, writer=writer),
                exposure(A, B, 0, spans, writer=writer),
            )
        for known, expected in ((0, {1.0}), (99, {1.0}), (100, {1.0, 2.0}), (500, {1.0, 2.0, 3.0})):
            edges = await store.edge_rows(buckets(A, B, known_ns=at(known)))
            operations = await store.operation_rows(buckets(A, known_ns=at(known)))
            entries = await store.exposure_rows(exposures(A, known_ns=at(known)))
            assert (known, {row.calls for row in edges}) == (known, expected)
            assert (known, {row.calls for row in operations}) == (known, expected)
            assert (known, {row.requests for row in entries}) == (known, expected)

    async def test_operation_rows_give_every_column(self, store: Store) -> None:
        counts = {"calls": 5.5, "errors": 4.0, "origin_errors": 3.0, "error_logs": 2.0, "poor": 1.0}
        await self.put(store, operation(A, 45, 9, **counts, self_time=SKETCH), operation(B, 45))
        found = list(await store.operation_rows(buckets(A)))
        assert found == [OperationRow(A, "GET /", START_S + 45, 5.5, 4.0, 3.0, 2.0, 1.0, SKETCH)]

    async def test_exposure_rows_give_every_column(self, store: Store) -> None:
        counts = {"requests": 5.5, "requests_sq": 30.25, "errors": 2.0, "poor": 1.0, "latency": SKETCH}
        await self.put(store, exposure(A, B, 45, 9, **counts))
        found = list(await store.exposure_rows(exposures(A)))
        assert found == [ExposureRow(A, "GET /", B, START_S + 45, 5.5, 30.25, 2.0, 1.0, SKETCH)]

    async def test_exposure_rows_of_chosen_nodes_come_with_all_requests(self, store: Store) -> None:
        await self.put(store, *(exposure(A, node) for node in (ALL_REQUESTS, B, C)), exposure(B, C))
        found = {
            nodes: {row.node for row in await store.exposure_rows(exposures(A, nodes=nodes))}
            for nodes in (None, (B,), (), (key("x"),))
        }
        assert found == {
            None: {ALL_REQUESTS, B, C},
            (B,): {ALL_REQUESTS, B},
            (): {ALL_REQUESTS},
            (key("x"),): {ALL_REQUESTS},
        }

    async def test_exposure_rows_of_one_operation(self, store: Store) -> None:
        await self.put(store, exposure(A, operation="GET /"), exposure(A, operation="POST /pay", spans=2))
        for operation_, expected in ((None, {1.0, 2.0}), ("POST /pay", {2.0}), ("GET /nowhere", set())):
            rows = await store.exposure_rows(exposures(A, operation=operation_))
            assert {row.requests for row in rows} == expected

    async def test_profiles_give_the_latest_of_each_dataset_before_an_instant(self, store: Store) -> None:
        taken = {dataset: [profile(f"{dataset}@run:{i}", dataset, i) for i in range(5)] for dataset in ("d", "e")}
        await self.put(store, *taken["d"], *taken["e"], profile("f@run:0", "f"))
        found = await store.profiles(["d", "e", "unknown"], at(3), 2)
        assert set(found) == {*taken["d"][1:3], *taken["e"][1:3]}
        assert not await store.profiles([], at(3), 2)
        assert not await store.profiles(["d"], at(0), 2)

    async def test_versions_give_relations_of_all_time(self, store: Store) -> None:
        old, new, live, later = (
            relation(link(A, key("a", "v1"), RelationType.HAS_VERSION), 0),
            relation(link(A, key("a", "v2"), RelationType.HAS_VERSION), 500_000),
            relation(link(A, key("a", "v2"), RelationType.HAS_VERSION, environment="production"), 5),
            relation(link(A, key("a", "v3"), RelationType.HAS_VERSION, environment="production"), 5, known_ns=at(99)),
        )
        other = relation(link(B, key("b", "v1"), RelationType.HAS_VERSION))
        await self.put(store, *connected(old, new, live, later, other, relation(A_CALLS_B)))
        assert set(await store.versions([A], None, None)) == {old, new, live, later}
        assert set(await store.versions([A, B, key("x"), A], None, at(98))) == {old, live, other}
        assert len(await store.versions([A, A], None, None)) == 4
        assert set(await store.versions([A], "production", None)) == {old, new, live, later}
        assert set(await store.versions([A], "test", None)) == {old, new}
        assert set(await store.versions([A], "", None)) == {old, new}
        assert not await store.versions([], None, None)

    async def test_dependencies_take_versions_together_and_span_their_times(self, store: Store) -> None:
        service = EntityKind.SERVICE_VERSION
        versions = [entity(key(name, "v1"), service, base=key(name)) for name in "ab"]
        told = [relation(link(key("a", "v1"), key("b", "v1")), 10, 20), relation(link(A, B), 15, 30)]
        declared = relation(link(A, B, layer=Layer.DECLARED), 1, 2)
        await self.put(store, entity(A), entity(B), *versions, *told, declared)
        ever = DependencyQuery(at(0), at(1_000))
        observed = Dependency(A, RelationType.CALLS, B, "", Layer.OBSERVED, at(10), at(30))
        assert set(await store.dependencies(ever)) == {observed, Dependency(*declared.key, at(1), at(2))}
        later = DependencyQuery(at(25), at(1_000), layers=frozenset({Layer.OBSERVED}))
        assert list(await store.dependencies(later)) == [observed._replace(first_seen_ns=at(15))]
