"""Evidence from requests that met the new version: beside the old one, before and after, and as a share of the harm."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.rca.scenes import candidate, scene
from whence.model.kinds import EntityKind, RelationType
from whence.rca.evidence.before_after import before_after
from whence.rca.evidence.clean_start import clean_start
from whence.rca.evidence.explained_share import explained_share
from whence.rca.evidence.same_time_contrast import mantel_haenszel, same_time_contrast
from whence.testing.cases import Met, bucket, incident, rollout, traffic, versioned
from whence.testing.graphs import Fact, change, entity, key, link, relation

SHOP, RANKER, OTHER = key("shop"), key("ranker"), key("other")
V1, V2 = key("ranker", "v1"), key("ranker", "v2")
O1, O2 = key("other", "v1"), key("other", "v2")


def two_rollouts(bad_of: str) -> list[Fact]:
    """Two dependencies roll out at once, each on half of the requests; one of them hurts."""
    facts: list[Fact] = [entity(SHOP)]
    facts += versioned(SHOP, RANKER, {V1: -9, V2: 40}, 80)
    facts += versioned(SHOP, OTHER, {O1: -9, O2: 40}, 80)
    facts += traffic(SHOP, range(40), {V1: Met(20), O1: Met(20)})
    nodes = {node: Met(20, bad=6 if node == bad_of else 0) for node in (V1, V2, O1, O2)}
    return [*facts, *traffic(SHOP, range(40, 80), nodes)]


def test_contrast_of_the_guilty_version_is_strong() -> None:
    of = scene(rollout(), incident(SHOP, 79))
    found = same_time_contrast(candidate(of, RANKER), of)
    assert found is not None
    assert (found.direction, found.weight > 5) == ("for", True)
    assert found.data["odds_ratio_low"] > 2  # type: ignore[operator]
    assert "240/800 vs 0/800" in found.sentence


def test_contrast_of_a_bystander_exonerates() -> None:
    of = scene(two_rollouts(bad_of=V2), incident(SHOP, 79))
    guilty, bystander = (same_time_contrast(candidate(of, one), of) for one in (RANKER, OTHER))
    assert guilty is not None
    assert guilty.weight > 5
    assert bystander is None or bystander.weight < 0


def test_contrast_when_both_versions_fail_alike_exonerates() -> None:
    of = scene(rollout(new_bad=4, old_bad=4), incident(SHOP, 79))
    found = same_time_contrast(candidate(of, RANKER), of)
    assert found is not None
    assert (found.direction, "alike" in found.sentence) == ("against", True)


def test_contrast_when_the_old_version_went_bad_too_exonerates_little() -> None:
    facts = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 40}, 80)]
    facts += traffic(SHOP, range(40), {V1: Met(40)})
    facts += traffic(SHOP, range(40, 80), {V1: Met(20, bad=10), V2: Met(20, bad=10)})
    of = scene(facts, incident(SHOP, 79))
    found = same_time_contrast(candidate(of, RANKER), of)
    assert found is not None
    assert found.weight == -1.0


def test_contrast_of_a_model_exonerates_in_full_though_the_old_one_went_bad_too() -> None:
    """A model is only read: the old one can't have been spoilt by it."""
    model = "file#shop/ranker"
    old, new = f"{model}@version:1", f"{model}@version:2"
    facts: list[Fact] = [entity(SHOP)]
    facts += versioned(SHOP, model, {old: -9, new: 40}, 80, kind=EntityKind.MODEL, type_=RelationType.USES_MODEL)
    facts += traffic(SHOP, range(40), {old: Met(40)})
    facts += traffic(SHOP, range(40, 80), {old: Met(20, bad=10), new: Met(20, bad=10)})
    of = scene(facts, incident(SHOP, 79))
    found = same_time_contrast(candidate(of, model), of)
    assert found is not None
    assert found.weight < -1.5


def test_contrast_of_an_instant_switch_is_absent() -> None:
    facts = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 40}, 80)]
    facts += [*traffic(SHOP, range(40), {V1: Met(40)}), *traffic(SHOP, range(40, 80), {V2: Met(40, bad=9)})]
    of = scene(facts, incident(SHOP, 79))
    assert same_time_contrast(candidate(of, RANKER), of) is None


def test_contrast_of_too_few_requests_is_absent() -> None:
    facts = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 78}, 80)]
    facts += [*traffic(SHOP, range(78), {V1: Met(40)}), *traffic(SHOP, range(78, 80), {V1: Met(40), V2: Met(2, bad=2)})]
    of = scene(facts, incident(SHOP, 79))
    assert same_time_contrast(candidate(of, RANKER), of) is None


def test_contrast_without_any_bad_request_is_absent() -> None:
    of = scene(rollout(new_bad=0), incident(SHOP, 79))
    assert same_time_contrast(candidate(of, RANKER), of) is None


def test_contrast_by_latency_compares_slow_requests() -> None:
    facts = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 40}, 80)]
    facts += traffic(SHOP, range(40), {V1: Met(40)})
    facts += traffic(SHOP, range(40, 80), {V1: Met(20), V2: Met(20, milliseconds=50.0)})
    of = scene(facts, incident(SHOP, 79))
    found = same_time_contrast(candidate(of, RANKER), of)
    assert found is not None
    assert found.weight > 5


def test_mantel_haenszel_of_one_stratum_is_the_odds_ratio() -> None:
    counts = [np.array([value]) for value in (300.0, 700.0, 100.0, 900.0)]
    log_odds, variance = mantel_haenszel(*counts)
    assert log_odds == pytest.approx(np.log(300 * 900 / (700 * 100)), abs=0.02)
    textbook = sum(1 / value[0] for value in counts)
    assert textbook < variance < 2.5 * textbook


def test_mantel_haenszel_is_not_fooled_by_strata_that_differ() -> None:
    """Both strata show no effect, but pooled counts would."""
    a, b, c, d = (np.array(values) for values in ([90.0, 1.0], [10.0, 9.0], [9.0, 10.0], [1.0, 90.0]))
    assert abs(mantel_haenszel(a, b, c, d)[0]) < 0.1


def half_of_the_paths(bad: int) -> list[Fact]:
    """Half of the requests go through ``ranker``, which has no versions; a change of it is reported at bucket 40."""
    facts: list[Fact] = [entity(SHOP), entity(RANKER), entity(OTHER)]
    facts += [relation(link(SHOP, one, RelationType.CALLS), -9, bucket(80)) for one in (RANKER, OTHER)]
    facts += traffic(SHOP, range(40), {RANKER: Met(20), OTHER: Met(20)})
    facts += traffic(SHOP, range(40, 80), {RANKER: Met(20, bad=bad), OTHER: Met(20)})
    return [*facts, change("d", RANKER, bucket(40)), change("o", OTHER, bucket(40))]


def test_before_after_speaks_for_the_path_that_went_bad() -> None:
    of = scene(half_of_the_paths(bad=8), incident(SHOP, 79))
    guilty, other = (before_after(candidate(of, one), of) for one in (RANKER, OTHER))
    assert guilty is not None
    assert other is not None
    assert guilty.direction == "for"
    assert other.direction == "against"


def test_before_after_without_a_control_is_absent() -> None:
    facts: list[Fact] = [entity(SHOP), entity(RANKER), relation(link(SHOP, RANKER), -9, bucket(80))]
    facts += [*traffic(SHOP, range(40), {RANKER: Met(20)}), *traffic(SHOP, range(40, 80), {RANKER: Met(20, bad=8)})]
    of = scene([*facts, change("d", RANKER, bucket(40))], incident(SHOP, 79))
    assert before_after(candidate(of, RANKER), of) is None


def test_before_after_beside_a_clear_contrast_is_absent() -> None:
    of = scene(rollout(), incident(SHOP, 79))
    assert before_after(candidate(of, RANKER), of) is None


def test_explained_share_of_all_the_harm_speaks_for_it() -> None:
    of = scene(rollout(), incident(SHOP, 79))
    found = explained_share(candidate(of, RANKER), of)
    assert found is not None
    assert (found.direction, found.data["share"]) == ("for", 1.0)


def test_explained_share_of_little_harm_speaks_against_it() -> None:
    of = scene(two_rollouts(bad_of=O2), incident(SHOP, 79))
    found = explained_share(candidate(of, RANKER), of)
    assert found is not None
    assert (found.direction, found.weight < -2.5) == ("against", True)


def test_explained_share_of_a_version_that_everybody_meets_says_nothing() -> None:
    facts = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 20}, 80)]
    facts += [*traffic(SHOP, range(20), {V1: Met(40)}), *traffic(SHOP, range(20, 40), {V2: Met(40)})]
    of = scene([*facts, *traffic(SHOP, range(40, 80), {V2: Met(40, bad=9)})], incident(SHOP, 79))
    found = explained_share(candidate(of, RANKER), of)
    assert found is not None
    assert found.direction == "neutral"


def test_clean_start_of_a_version_long_in_use_speaks_against_it() -> None:
    facts = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 20}, 80)]
    facts += [*traffic(SHOP, range(20), {V1: Met(40)}), *traffic(SHOP, range(20, 60), {V2: Met(40)})]
    of = scene([*facts, *traffic(SHOP, range(60, 80), {V2: Met(40, bad=9)})], incident(SHOP, 79))
    found = clean_start(candidate(of, RANKER), of)
    assert found is not None
    assert found.direction == "against"
    assert found.weight > -2.0


def test_clean_start_of_a_version_that_came_with_the_onset_is_absent() -> None:
    of = scene(rollout(), incident(SHOP, 79))
    assert clean_start(candidate(of, RANKER), of) is None
