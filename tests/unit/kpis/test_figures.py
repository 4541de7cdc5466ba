"""Facts become figures: counts, shares, percentiles, or the admission that there are too few."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.kpis.facts import Use, code_facts, data_facts, entity_of, model_facts
from whence.kpis.figures import METRICS, Fact, Form, Metric, Pillar, Span, figure, percentile
from whence.model.delta import Entity
from whence.model.kinds import EntityKind, RelationType
from whence.testing.graphs import at, attributes, change, entity, key, link, relation

SPAN = Span(at(100), at(200))
SPREAD = Metric(Pillar.DATA, "m", Form.SPREAD, "s", "")
COUNT, SHARE = SPREAD._replace(form=Form.COUNT), SPREAD._replace(form=Form.SHARE)
CLICKS = "s3://lake#clicks"


def fact(second: float, value: float = 1.0, weight: float = 1.0) -> Fact:
    return Fact("m", key("a"), at(second), value, "d", weight)


def test_count_of_nothing_is_none_and_of_the_window_before_is_beside_it() -> None:
    found = figure(COUNT, [fact(100), fact(199), fact(200), fact(99), fact(-1)], SPAN)
    assert (found.value, found.before, found.facts, found.reason) == (2.0, 1.0, 2, "")
    assert figure(COUNT, [], SPAN).value == 0.0


def test_spread_and_share_say_when_there_is_too_little() -> None:
    few = [fact(150, 1.0)] * 4
    for metric in (SPREAD, SHARE):
        found = figure(metric, few, SPAN)
        assert (found.value, found.p95, found.facts) == (None, None, 4)
        assert found.reason == "not enough data: 4 facts, 5 are needed"


def test_share_is_weighted_by_calls() -> None:
    assert figure(SHARE, [fact(150, 0.5, 10), fact(150, 0.0, 30)], SPAN).value == pytest.approx(0.125)


@given(st.lists(st.floats(0, 1e6), min_size=5))
def test_percentiles_are_values_that_occurred_and_rise(values: list[float]) -> None:
    found = figure(SPREAD, [fact(150, one) for one in values], SPAN)
    assert found.value is not None
    assert found.p90 is not None
    assert found.p95 is not None
    assert min(values) <= found.value <= found.p90 <= found.p95 <= max(values)
    assert {found.value, found.p90, found.p95} <= set(values)


def test_percentile_of_known_values() -> None:
    values = [float(one) for one in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.9, 0.95, 1.0)] == [50, 90, 95, 100]


def test_trend_tells_the_parts_of_the_window_and_owns_up_to_those_with_too_little() -> None:
    assert figure(COUNT, [fact(100), fact(101), fact(199)], SPAN).trend == (2.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    spread = figure(SPREAD, [fact(100, float(value)) for value in range(1, 6)], SPAN)
    assert spread.trend == (3.0, None, None, None, None, None)


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 9), st.data())
def test_instants_of_a_window_lie_in_its_parts_in_order(
    begin: int, width: int, count: int, data: st.DataObject
) -> None:
    span = Span(begin, begin + width)
    early, late = sorted(data.draw(st.tuples(*[st.integers(begin, begin + width - 1)] * 2)))
    parts = [span.part_of(one, count) for one in (begin, early, late, begin + width - 1)]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1] < count) == (0, True)


def test_releases_are_sorted_by_how_their_summary_begins() -> None:
    summaries = {"a": "feat(cart): gift cards", "b": "Fix: rounding", "c": "chore: tidy", "d": None}
    changes = [replace(change(name, key("shop"), 30), summary=text) for name, text in summaries.items()]
    found = [(one.metric, one.detail) for one in code_facts(changes, (), ())]
    assert [one for one in found if one[0] in ("features_shipped", "bug_fixes")] == [
        ("features_shipped", "a"),
        ("bug_fixes", "b"),
    ]


def test_every_fact_belongs_to_a_metric_of_the_table() -> None:
    names = {metric.name for metric in METRICS}
    assert len(names) == len(METRICS)
    assert {one.metric for one in (*some_code(), *some_models(), *some_data())} == names


def some_code() -> list[Fact]:
    service, version = key("a"), key("a", "v2")
    has = {
        place: link(service, version, RelationType.HAS_VERSION, environment=place)
        for place in ("staging", "production")
    }
    versions = [relation(has["staging"], 10), relation(has["production"], 40)]
    changes = [change("b", service, 90, summary="fix: stock"), change("a", service, 30, summary="feat: cart")]
    return list(code_facts(changes, versions, {"a"}))


def some_models() -> list[Fact]:
    version, snapshot = "m#ranker@version:2", f"{CLICKS}@opaque:1"
    uses = [Use(relation(link(key("a"), version, RelationType.USES_MODEL), 50), 10, 1, 7.5)]
    return list(model_facts(uses, {version: at(30), snapshot: at(20)}, {version: [snapshot]}, at(200)))


def some_data() -> list[Fact]:
    seconds = {"a": 0, "b": 10, "c": 20, "d": 30, "e": 70}
    snapshots = [snapshot(name, second) for name, second in seconds.items()]
    bad = snapshot("f", 80, attributes=attributes(failed_assertions="not_null(user)"))
    uses = [Use(relation(link(key("a"), CLICKS, RelationType.READS)), 3, 0, 2.0)]
    return list(
        data_facts([*snapshots, bad, snapshot("read", 35)], {one.key for one in (*snapshots, bad)}, uses, at(200))
    )


def snapshot(name: str, second: float, **more: object) -> Entity:
    return entity(f"{CLICKS}@opaque:{name}", EntityKind.DATASET_VERSION, base=CLICKS, first_seen_ns=at(second), **more)


def values(facts: list[Fact], metric: str) -> list[tuple[str, float]]:
    return [(one.detail, one.value) for one in facts if one.metric == metric]


def test_failed_release_counts_and_is_restored_by_the_next() -> None:
    facts = some_code()
    assert values(facts, "change_failure") == [("a", 1.0), ("b", 0.0)]
    assert values(facts, "time_to_restore") == [("b", 60.0)]
    assert values(facts, "lead_time") == [(key("a", "v2"), 30.0)]


def test_run_of_a_batch_job_is_no_release() -> None:
    job = key("refresh")
    ran = relation(link(job, f"{job}@run:04f0", RelationType.HAS_VERSION))
    changes = [change("run", job, to_version="04f0", recorded=False), change("new", job, to_version="v2")]
    assert values(list(code_facts(changes, [ran], ())), "releases") == [("new", 1.0)]


def test_model_is_measured_from_its_data_to_its_first_use() -> None:
    facts = some_models()
    assert values(facts, "data_to_serving") == [("m#ranker@version:2", 30.0)]
    assert values(facts, "staleness") == [("m#ranker@version:2", 170.0)]
    assert values(facts, "failures") == [(key("a"), 0.1)]


def test_late_refresh_is_found_and_one_merely_read_is_none() -> None:
    facts = some_data()
    assert values(facts, "late_refreshes") == [(f"{CLICKS}@opaque:e", 40.0)]
    assert len(values(facts, "refreshes")) == 6
    assert values(facts, "quality_incidents") == [(f"{CLICKS}@opaque:f", 1.0)]
    assert values(facts, "freshness") == [(f"{CLICKS}@opaque:f", 120.0)]


def test_entity_of_a_key_with_an_at_in_its_namespace() -> None:
    assert entity_of("abfss://c@acct.dfs.core.windows.net#a/b@delta:3") == "abfss://c@acct.dfs.core.windows.net#a/b"
