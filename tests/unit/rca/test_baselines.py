"""The trivial rankings that every evaluation prints beside ours."""

from __future__ import annotations

import pytest

from whence.rca.baselines import BASELINES
from whence.testing.cases import Met, bucket, case_of, incident, rollout, traffic
from whence.testing.graphs import change, delta, entity, key, link, relation

SHOP, RANKER, OTHER = key("shop"), key("ranker"), key("other")
FACTS = [
    *rollout(),
    entity(OTHER),
    relation(link(SHOP, OTHER), -9, bucket(80)),
    *traffic(SHOP, [99], {OTHER: Met(1)}),
    change("guilty", RANKER, bucket(40), to_version="v2"),
    change("decoy", OTHER, bucket(41)),
    change("late", OTHER, bucket(90)),
]
CASE = case_of(delta(*FACTS), incident(SHOP, 79))


def test_baselines_are_the_nine() -> None:
    assert len(BASELINES) == 9


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_baseline_scores_only_changes_before_the_detection(name: str) -> None:
    assert set(BASELINES[name](CASE)) <= {"guilty", "decoy"}


@pytest.mark.parametrize(
    ("name", "first"), [("latest", "decoy"), ("decay", "decoy"), ("ochiai", "guilty"), ("dstar2", "guilty")]
)
def test_baseline_falls_for_what_it_falls_for(name: str, first: str) -> None:
    scores = BASELINES[name](CASE)
    assert max(scores, key=lambda one: scores[one]) == first


def test_baseline_random_ties_all() -> None:
    assert set(BASELINES["random"](CASE).values()) == {0.0}


def test_baseline_none_always_abstains() -> None:
    assert BASELINES["none-always"](CASE) == {}
