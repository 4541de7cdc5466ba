"""What must hold of every ranking: names, order and strangers have no say in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from random import Random
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whence.model.answer import Answer
from whence.model.delta import ALL_REQUESTS, GraphDelta
from whence.model.rows import EdgeRows, ExposureRows, OperationRows
from whence.rca.case import Case
from whence.rca.posterior import posterior, rounded_down
from whence.rca.rank import rank
from whence.rca.topology import base_key
from whence.rca.weights import DEFAULT_WEIGHTS
from whence.testing.cases import Met, bucket, case_of, incident, rollout, traffic, versioned, work
from whence.testing.graphs import Fact, change, delta, entity, key, link, relation

T = TypeVar("T")
SHOP, RANKER, CART = key("shop"), key("ranker"), key("cart")


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """A roll-out that fails more or less, another dependency, and some changes around them."""
    found = rollout(draw(st.integers(20, 60)), new_bad=draw(st.integers(0, 12)), old_bad=draw(st.integers(0, 4)))
    found += versioned(SHOP, CART, {key("cart", "v7"): -9, key("cart", "v8"): draw(st.integers(10, 70))}, 80)
    found += traffic(SHOP, range(80), {key("cart", "v7"): Met(draw(st.integers(1, 30)))})
    found += work(key("cart", "v7"), range(80), milliseconds=draw(st.sampled_from([1.0, 9.0])))
    for number in range(draw(st.integers(0, 5))):
        subject = draw(st.sampled_from([SHOP, RANKER, CART, "cart"]))
        found.append(change(f"d{number}", subject, bucket(draw(st.integers(-300, 78)))))
    return found


def answer(facts_: list[Fact]) -> Answer:
    return rank(case_of(delta(*facts_), incident(SHOP, 79)))


def as_bytes(found: Answer) -> bytes:
    return json.dumps(asdict(found), sort_keys=True).encode()


def mixed(items: tuple[T, ...], random: Random) -> tuple[T, ...]:
    return tuple(random.sample(items, len(items)))


def shuffled(case: Case, seed: int) -> Case:
    """The same case with every collection in another order."""
    random, graph = Random(seed), case.subgraph
    return replace(
        case,
        subgraph=replace(
            graph,
            entities=dict(mixed(tuple(graph.entities.items()), random)),
            relations=mixed(graph.relations, random),
        ),
        changes=mixed(case.changes, random),
        versions=mixed(case.versions, random),
        exposures=ExposureRows.of(mixed(tuple(case.exposures), random)),
        operations=OperationRows.of(mixed(tuple(case.operations), random)),
        edges=EdgeRows.of(mixed(tuple(case.edges), random)),
    )


SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(facts(), st.integers(0, 9))
def test_rank_of_shuffled_input_is_the_same_byte_for_byte(facts_: list[Fact], seed: int) -> None:
    case = case_of(delta(*facts_), incident(SHOP, 79))
    assert as_bytes(rank(shuffled(case, seed))) == as_bytes(rank(case))


@SLOW
@given(facts(), st.sampled_from(["aa", "zz"]))
def test_rank_of_renamed_things_is_the_same(facts_: list[Fact], prefix: str) -> None:
    old = answer(facts_)
    question = incident(_renamer(prefix)(SHOP), 79)
    new = rank(case_of(renamed(delta(*facts_), prefix), question))
    assert new.verdict is old.verdict
    assert new.none.probability == pytest.approx(old.none.probability, abs=1e-6)
    assert _by_change(new, lambda text: text.removeprefix(prefix)) == _by_change(old, lambda text: text)


@SLOW
@given(facts())
def test_rank_beside_an_unrelated_system_is_the_same(facts_: list[Fact]) -> None:
    blog, wiki, new = key("blog"), key("wiki"), key("wiki", "v2")
    other: list[Fact] = [entity(blog), *versioned(blog, wiki, {key("wiki", "v1"): -9, new: 39}, 80)]
    other += [*traffic(blog, range(80), {new: Met(9, bad=9)}), change("w", wiki, bucket(39))]
    assert as_bytes(answer([*facts_, *other])) == as_bytes(answer(facts_))


@SLOW
@given(facts())
def test_rank_probabilities_are_probabilities(facts_: list[Fact]) -> None:
    found = answer(facts_)
    shares = [one.probability for one in found.suspects] + [found.none.probability]
    assert all(0 <= share <= 1 for share in shares)
    assert sum(shares) <= 1 + 1e-9
    assert [one.rank for one in found.suspects] == sorted(one.rank for one in found.suspects)


@given(st.lists(st.floats(-20, 20), max_size=200), st.floats(-20, 20))
def test_posterior_as_it_is_told_sums_to_at_most_one(nats: list[float], none: float) -> None:
    found = posterior(nats, none, DEFAULT_WEIGHTS)
    assert sum(rounded_down(float(one)) for one in (*found.changes, found.none)) <= 1 + 1e-12


def test_rank_inputs_hash_changes_with_the_inputs() -> None:
    first, second = answer(rollout(new_bad=6)), answer(rollout(new_bad=7))
    assert first.inputs_hash != second.inputs_hash
    assert first.inputs_hash == answer(rollout(new_bad=6)).inputs_hash


def test_rank_never_speaks_of_a_cause() -> None:
    found = answer([*rollout(), change("d", RANKER, bucket(40), to_version="v2"), relation(link(SHOP, RANKER))])
    assert b"cause" not in as_bytes(found).lower()


def _renamer(prefix: str) -> Callable[[str], str]:
    """Names whose order is not that of the old ones, in another namespace; versions keep theirs."""

    def rename(text: str) -> str:
        if text == ALL_REQUESTS or "#" not in text:
            return text if text == ALL_REQUESTS else f"{prefix}{text[::-1]}"
        base = base_key(text)
        name = base.partition("#")[2]
        return f"otel://other#{prefix}{name[::-1]}{text[len(base) :]}"

    return rename


def renamed(of: GraphDelta, prefix: str) -> GraphDelta:
    """The same facts about differently named things, under other change ids."""
    name = _renamer(prefix)
    entities = [replace(one, key=name(one.key), base=name(one.base)) for one in of.entities.values()]
    ends = {one.key: one.key._replace(src=name(one.key.src), dst=name(one.key.dst)) for one in of.relations.values()}
    relations = [replace(one, key=ends[one.key]) for one in of.relations.values()]
    changes = [replace(one, id=f"{prefix}{one.id}", subject=name(one.subject)) for one in of.changes.values()]
    return GraphDelta(
        entities={one.key: one for one in entities},
        relations={one.key: one for one in relations},
        operations={key._replace(node=name(key.node)): counts for key, counts in of.operations.items()},
        exposures={
            key._replace(service=name(key.service), node=name(key.node)): counts for key, counts in of.exposures.items()
        },
        changes={one.id: one for one in changes},
    )


def _by_change(found: Answer, old_id: Callable[[str], str]) -> set[tuple[str, float, int]]:
    """What was said of each change; an inferred one has no id to go by, but its version and time."""
    return {
        (
            old_id(one.change.id) if one.change.recorded else f"{one.change.to_version}/{one.change.effective_ns}",
            round(one.probability, 6),
            one.rank,
        )
        for one in found.suspects
    }
