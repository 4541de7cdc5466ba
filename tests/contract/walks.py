"""Walking: upstream and downstream closures."""

from __future__ import annotations

from collections.abc import Iterable

from tests.contract.base import ContractBase, arrows, closure
from whence.model.delta import Relation
from whence.model.graph import Subgraph
from whence.model.kinds import EntityKind, Layer, RelationType
from whence.store.protocol import Store
from whence.testing.graphs import at, attributes, connected, entity, key, link, relation

A, B, C, D, E = (key(name) for name in "abcde")


def calls(*pairs: str, first: float = 0) -> Iterable[Relation]:
    """``"ab"``: a calls b."""
    return [relation(link(key(pair[0]), key(pair[1])), first) for pair in pairs]


def names(subgraph: Subgraph) -> dict[str, int]:
    """Bare name of each node, and its depth."""
    assert subgraph.entities.keys() == subgraph.depth.keys()
    return {one.rpartition("#")[2]: depth for one, depth in subgraph.depth.items()}


class WalkContract(ContractBase):
    """Cases of ``upstream`` and ``downstream``."""

    async def test_upstream_chain_gives_dependencies_with_their_depth(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab", "bc", "xa")))
        graph = await store.upstream(closure(A))
        assert names(graph) == {"a": 0, "b": 1, "c": 2}
        assert graph.roots == (A,)
        assert graph.relations == tuple(calls("ab", "bc"))
        assert not graph.truncated

    async def test_downstream_chain_gives_dependents_with_their_depth(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab", "bc", "cd")))
        graph = await store.downstream(closure(C))
        assert names(graph) == {"c": 0, "b": 1, "a": 2}
        assert graph.relations == tuple(calls("ab", "bc"))

    async def test_upstream_entities_come_with_kind_base_and_attributes(self, store: Store) -> None:
        version = entity(
            key("b", "v1"), EntityKind.SERVICE_VERSION, base=B, attributes=attributes(owner="me", url="https://x")
        )
        owns = relation(link(A, version.key))
        await self.put(store, *connected(owns), version)
        graph = await store.upstream(closure(A))
        assert graph.entities[A] == entity(A)
        assert graph.entities[version.key].attributes == version.attributes
        assert graph.entities[version.key].base == B

    async def test_upstream_unknown_root_gives_the_empty_graph(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab")))
        assert await store.upstream(closure(key("nowhere"))) == Subgraph(roots=())

    async def test_upstream_no_roots_gives_the_empty_graph(self, store: Store) -> None:
        assert await store.upstream(closure()) == Subgraph(roots=())

    async def test_upstream_known_among_unknown_roots_stays(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab")))
        graph = await store.upstream(closure(key("nowhere"), A, A))
        assert graph.roots == (A,)
        assert names(graph) == {"a": 0, "b": 1}

    async def test_upstream_several_roots_measure_depth_from_the_nearest(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab", "bc", "cd")))
        graph = await store.upstream(closure(A, C))
        assert graph.roots == (A, C)
        assert names(graph) == {"a": 0, "c": 0, "b": 1, "d": 1}

    async def test_upstream_self_call_is_kept_once(self, store: Store) -> None:
        await self.put(store, *connected(*calls("aa")))
        graph = await store.upstream(closure(A))
        assert names(graph) == {"a": 0}
        assert graph.relations == tuple(calls("aa"))
        assert (await store.downstream(closure(A))).relations == tuple(calls("aa"))

    async def test_upstream_cycle_ends(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab", "bc", "ca")))
        graph = await store.upstream(closure(A, max_hops=12))
        assert names(graph) == {"a": 0, "b": 1, "c": 2}
        assert graph.relations == tuple(calls("ab", "bc", "ca"))

    async def test_upstream_two_paths_give_the_shorter_depth_and_every_relation(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab", "bc", "cd", "ad", "de")))
        graph = await store.upstream(closure(A))
        assert names(graph) == {"a": 0, "b": 1, "c": 2, "d": 1, "e": 2}
        assert len(graph.relations) == 5

    async def test_upstream_parallel_relations_are_each_given_once(self, store: Store) -> None:
        kinds = [RelationType.CALLS, RelationType.READS]
        layers = [Layer.OBSERVED, Layer.DECLARED]
        relations = [relation(link(A, B, kind, layer=layer)) for kind in kinds for layer in layers]
        await self.put(store, *connected(*relations))
        await self.put(store, *connected(*relations))
        assert (await store.upstream(closure(A))).relations == tuple(sorted(relations, key=lambda one: one.key))

    async def test_upstream_types_restrict_the_walk(self, store: Store) -> None:
        reads = relation(link(B, C, RelationType.READS))
        await self.put(store, *connected(*calls("ab"), reads))
        only = await store.upstream(closure(A, types=frozenset({RelationType.CALLS})))
        assert names(only) == {"a": 0, "b": 1}
        both = await store.upstream(closure(A, types=frozenset({RelationType.CALLS, RelationType.READS})))
        assert names(both) == {"a": 0, "b": 1, "c": 2}

    async def test_upstream_no_types_means_all_types(self, store: Store) -> None:
        relations = [relation(link(A, key(kind.value), kind)) for kind in RelationType]
        await self.put(store, *connected(*relations))
        graph = await store.upstream(closure(A, types=frozenset()))
        assert arrows(graph) == {(A, kind.value, key(kind.value)) for kind in RelationType}

    async def test_upstream_layers_restrict_the_walk(self, store: Store) -> None:
        relations = [relation(link(A, key(layer.value), layer=layer)) for layer in Layer]
        await self.put(store, *connected(*relations))
        assert names(await store.upstream(closure(A))).keys() == {"a", "observed", "declared", "inferred"}
        allowed = await store.upstream(closure(A, layers=frozenset({Layer.ALLOWED})))
        assert names(allowed) == {"a": 0, "allowed": 1}
        assert names(await store.upstream(closure(A, layers=frozenset()))) == {"a": 0}

    async def test_upstream_window_holds_its_start_and_not_its_end(self, store: Store) -> None:
        await self.put(store, *connected(relation(link(A, B), 10, 20)))
        windows = {(0, 10): 0, (0, 10.000000001): 1, (20, 30): 1, (20.000000001, 30): 0, (12, 13): 1}
        for (start, end), found in windows.items():
            graph = await store.upstream(closure(A, from_ns=at(start), to_ns=at(end)))
            assert (start, end, len(graph.relations)) == (start, end, found)
            assert len(graph.entities) == 1 + found

    async def test_upstream_lasting_relations_stay_after_they_happened(self, store: Store) -> None:
        trained = relation(link(A, B, RelationType.TRAINED_ON), 10)
        await self.put(store, *connected(trained, relation(link(A, C), 10)))
        later = await store.upstream(closure(A, from_ns=at(500), to_ns=at(600)))
        assert names(later) == {"a": 0, "b": 1}
        assert later.relations == (trained,)
        before = await store.upstream(closure(A, from_ns=at(0), to_ns=at(10)))
        assert names(before) == {"a": 0}

    async def test_upstream_environment_admits_what_named_none_and_lasting_relations(self, store: Store) -> None:
        live = relation(link(A, B, environment="production"))
        unnamed = relation(link(A, C))
        derived = relation(link(A, D, RelationType.DERIVED_FROM, environment="training"))
        await self.put(store, *connected(live, unnamed, derived))
        found = {
            environment: names(await store.upstream(closure(A, environment=environment))).keys() - {"a"}
            for environment in (None, "production", "", "training", "Production", "nowhere")
        }
        assert found == {
            None: {"b", "c", "d"},
            "production": {"b", "c", "d"},
            "": {"c", "d"},
            "training": {"c", "d"},
            "Production": {"c", "d"},
            "nowhere": {"c", "d"},
        }

    async def test_upstream_known_at_leaves_out_what_was_learned_later(self, store: Store) -> None:
        await self.put(
            store,
            *connected(relation(link(A, B), 10, known_ns=at(40)), relation(link(A, C), 10, known_ns=at(41))),
        )
        found = {known: names(await store.upstream(closure(A, known_ns=at(known)))) for known in (39, 40, 41)}
        assert found == {39: {"a": 0}, 40: {"a": 0, "b": 1}, 41: {"a": 0, "b": 1, "c": 1}}

    async def test_upstream_no_hops_gives_the_roots_alone(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab", "aa")))
        graph = await store.upstream(closure(A, max_hops=0))
        assert (names(graph), graph.relations, graph.truncated) == ({"a": 0}, (), False)

    async def test_upstream_hops_bound_the_depth_without_truncation(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab", "bc", "cd", "cb", "ba")))
        graph = await store.upstream(closure(A, max_hops=2))
        assert names(graph) == {"a": 0, "b": 1, "c": 2}
        assert graph.relations == tuple(calls("ab", "ba", "bc"))
        assert not graph.truncated

    async def test_upstream_node_bound_cuts_nearest_first_and_says_so(self, store: Store) -> None:
        await self.put(store, *connected(*calls("az", "ay", "zb", "yc", "zy", "ya")))
        for limit, expected in ((1, "a"), (2, "ay"), (3, "ayz"), (4, "aybz")):
            graph = await store.upstream(closure(A, max_nodes=limit))
            assert (set(names(graph)), graph.truncated) == (set(expected), True)
        assert names(await store.upstream(closure(A, max_nodes=4))) == {"a": 0, "y": 1, "z": 1, "b": 2}

    async def test_upstream_node_bound_keeps_the_relations_among_what_is_left(self, store: Store) -> None:
        await self.put(store, *connected(*calls("az", "ay", "zb", "yc", "zy", "ya")))
        graph = await store.upstream(closure(A, max_nodes=3))
        assert set(graph.relations) == set(calls("az", "ay", "zy", "ya"))

    async def test_upstream_exactly_as_many_nodes_as_allowed_is_not_truncated(self, store: Store) -> None:
        await self.put(store, *connected(*calls("ab", "bc", "ca")))
        graph = await store.upstream(closure(A, max_nodes=3))
        assert (len(graph.entities), graph.truncated) == (3, False)

    async def test_upstream_wide_fan_out_is_given_whole(self, store: Store) -> None:
        relations = [relation(link(A, key(f"n{i:04}"))) for i in range(1_500)]
        await self.put(store, *connected(*relations))
        graph = await store.upstream(closure(A))
        assert graph.relations == tuple(relations)
        assert (await store.downstream(closure(key("n0007")))).relations == (relations[7],)
