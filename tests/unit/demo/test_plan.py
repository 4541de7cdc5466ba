from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.demo.plan import CLICKS, FLAG, ORDERS, RANKER, Act, Scenario, make_plan, service

SCENARIOS = st.sampled_from(list(Scenario))
SEEDS = st.integers(0, 10_000)


@given(SCENARIOS, SEEDS)
def test_plan_of_one_seed_is_always_the_same(scenario: Scenario, seed: int) -> None:
    assert make_plan(scenario, seed) == make_plan(scenario, seed)


@given(SCENARIOS, SEEDS)
def test_plan_versions_follow_each_other(scenario: Scenario, seed: int) -> None:
    plan = make_plan(scenario, seed)
    now = dict(plan.first)
    for step in plan.steps:
        if step.after:
            assert step.before == now[step.subject] != step.after
            now[step.subject] = step.after


@given(SCENARIOS, SEEDS)
def test_plan_ships_two_harmless_changes_before_the_harm(scenario: Scenario, seed: int) -> None:
    plan = make_plan(scenario, seed)
    culprits = {subject for subject, _ in plan.truth.any_of}
    assert not any(step.subject in culprits or step.act is Act.BAD_DAY for step in plan.steps[:2])


@given(SCENARIOS, SEEDS)
def test_plan_announces_only_what_has_a_version(scenario: Scenario, seed: int) -> None:
    assert all(step.after for step in make_plan(scenario, seed).steps if step.announced)


@pytest.mark.parametrize(
    ("scenario", "subjects", "together"),
    [
        (Scenario.CODE, {service("payment")}, False),
        (Scenario.MODEL, {RANKER, CLICKS}, False),
        (Scenario.DATA, {ORDERS}, False),
        (Scenario.COMBINATION, {RANKER, FLAG}, True),
        (Scenario.STALE, {"file#shop/features"}, False),
        (Scenario.NONE, set(), False),
    ],
)
def test_plan_truth_names_what_does_harm(scenario: Scenario, subjects: set[str], together: bool) -> None:
    truth = make_plan(scenario, 7).truth
    assert ({subject for subject, _ in truth.any_of}, truth.together) == (subjects, together)


@pytest.mark.parametrize("scenario", list(Scenario))
def test_plans_of_many_seeds_begin_the_harm_at_every_place_allowed(scenario: Scenario) -> None:
    harmless = set(make_plan(scenario, 0).first) - {subject for subject, _ in make_plan(scenario, 0).truth.any_of}
    lengths: Counter[int] = Counter()
    for seed in range(60):
        steps = make_plan(scenario, seed).steps
        lengths[next(at for at, step in enumerate(steps) if step.subject not in harmless)] += 1
    assert set(lengths) == {2, 3, 4}
