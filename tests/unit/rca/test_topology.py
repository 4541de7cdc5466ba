"""How to get from a symptom to what it depends on, and in whose telemetry a change shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whence.model.graph import Subgraph
from whence.model.kinds import EntityKind, Layer, RelationType
from whence.rca.topology import INFERRED_STRENGTH, STRENGTH, Topology, base_key
from whence.testing.cases import closure_of
from whence.testing.graphs import Fact, delta, entity, key, link, relation

SHOP, RANKING, BATCH = key("shop"), key("ranking"), key("batch")
MODEL, DATA, RAW = "file#m", "s3://lake#features", "s3://lake#raw"
M1, M2, D1, D2 = "file#m@version:1", "file#m@version:2", f"{DATA}@snapshot:1", f"{DATA}@snapshot:2"
KINDS = {MODEL: EntityKind.MODEL, DATA: EntityKind.DATASET, RAW: EntityKind.DATASET}


def topology(*facts: Fact, symptom: str = SHOP) -> Topology:
    return Topology(closure_of(delta(*facts), symptom), symptom)


def lineage() -> list[Fact]:
    """shop calls ranking, which uses version 2 of a model that a batch job trained on snapshot 2 of some data."""
    return [
        *(entity(one, KINDS.get(one, EntityKind.SERVICE)) for one in (SHOP, RANKING, BATCH, MODEL, DATA)),
        *(entity(one, EntityKind.MODEL_VERSION, base=MODEL) for one in (M1, M2)),
        *(entity(one, EntityKind.DATASET_VERSION, base=DATA) for one in (D1, D2)),
        relation(link(SHOP, RANKING)),
        relation(link(RANKING, M1, RelationType.USES_MODEL), 0),
        relation(link(RANKING, M2, RelationType.USES_MODEL), 500),
        relation(link(M1, D1, RelationType.DERIVED_FROM), 0),
        relation(link(M2, D2, RelationType.DERIVED_FROM), 300),
        relation(link(M2, BATCH, RelationType.PRODUCED_BY), 300),
        relation(link(BATCH, D2, RelationType.READS), 200),
    ]


def test_reach_multiplies_strengths_along_the_best_path() -> None:
    reach = topology(*lineage()).reach
    assert reach[SHOP].strength == 1.0
    assert reach[MODEL].path == (SHOP, RANKING, MODEL)
    assert reach[MODEL].strength == STRENGTH[RelationType.CALLS] * STRENGTH[RelationType.USES_MODEL]


def test_reach_of_an_inferred_link_is_weak() -> None:
    facts = [entity(SHOP), entity(DATA, EntityKind.DATASET)]
    found = topology(*facts, relation(link(SHOP, DATA, RelationType.READS, layer=Layer.INFERRED)))
    assert found.reach[DATA].strength == INFERRED_STRENGTH


def test_reach_survives_cycles() -> None:
    found = topology(entity(SHOP), entity(RANKING), relation(link(SHOP, RANKING)), relation(link(RANKING, SHOP)))
    assert set(found.reach) == {SHOP, RANKING}


def test_carriers_of_a_model_are_the_services_that_use_it() -> None:
    assert topology(*lineage()).carriers(MODEL) == (RANKING,)


def test_carriers_of_training_data_are_online_services_not_the_training_job() -> None:
    assert topology(*lineage()).carriers(DATA) == (RANKING,)


def test_carriers_of_a_service_is_itself() -> None:
    assert topology(*lineage()).carriers(RANKING) == (RANKING,)


def test_carriers_without_any_service_are_none() -> None:
    facts = [entity(one, EntityKind.DATASET) for one in (DATA, RAW)]
    found = topology(*facts, relation(link(DATA, RAW, RelationType.DERIVED_FROM)), symptom=DATA)
    assert found.carriers(RAW) == ()


def test_consumed_since_is_when_the_whole_way_existed() -> None:
    found = topology(*lineage())
    assert found.consumed_since(D2) == found.consumed_since(M2)
    assert found.consumed_since(D1) != found.consumed_since(D2)


def test_consumed_since_of_what_nobody_uses_is_none() -> None:
    assert topology(*lineage()).consumed_since(f"{DATA}@snapshot:3") is None


def test_touched_through_a_snapshot_is_every_model_built_on_it() -> None:
    found = topology(*lineage())
    assert found.touched_through(D2) == {D2, M2}
    assert found.touched_through(M1) == {M1}


def test_within_requests_stops_at_queues() -> None:
    topic = "kafka://b#orders"
    facts = [entity(SHOP), entity(RANKING), entity(topic, EntityKind.DATASET)]
    reads, written = link(SHOP, topic, RelationType.CONSUMES), link(topic, RANKING, RelationType.PRODUCED_BY)
    assert topology(*facts, relation(reads), relation(written)).within_requests == {SHOP}


def test_topology_of_a_lone_symptom_reaches_it_alone() -> None:
    assert set(Topology(Subgraph(roots=(SHOP,)), SHOP).reach) == {SHOP}


def test_base_key_of_a_version_is_its_entity() -> None:
    assert base_key(D2) == DATA
    assert base_key("not a reference") == "not a reference"


NODES = tuple(key(name) for name in "abcde")
STEPS = st.dictionaries(
    st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), st.sampled_from(sorted(STRENGTH)), max_size=12
)


def paths(steps: dict[tuple[str, str], RelationType], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every way on from a path that visits nothing twice, the path itself included."""
    yield path
    for src, dst in steps:
        if src == path[-1] and dst not in path:
            yield from paths(steps, (*path, dst))


@settings(deadline=None)
@given(STEPS)
def test_reach_is_the_best_of_all_paths(steps: dict[tuple[str, str], RelationType]) -> None:
    facts: list[Fact] = [entity(one) for one in NODES]
    facts += [relation(link(src, dst, type_)) for (src, dst), type_ in steps.items()]
    best: dict[str, float] = {}
    for path in paths(steps, (NODES[0],)):
        strength = math.prod(STRENGTH[steps[step]] for step in pairwise(path))
        best[path[-1]] = max(strength, best.get(path[-1], 0.0))
    reach = topology(*facts, symptom=NODES[0]).reach
    assert {node: one.strength for node, one in reach.items()} == pytest.approx(best)
    assert all(one.path in set(paths(steps, (NODES[0],))) for one in reach.values())
