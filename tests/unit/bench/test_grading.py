from typing import Any

from tests.bench.replay.grading import as_published, grade_changes, grade_scores, grade_services
from tests.bench.replay.lineage import reference
from tests.bench.replay.metrics import Place
from whence.model.times import NS_PER_SECOND


def suspect(change_id: str, probability: float, *path: str) -> dict[str, Any]:
    return {"change": {"id": change_id, "subject": path[-1]}, "probability": probability, "path": path, "evidence": []}


SHOP, RANKER, CART = reference("shop"), reference("ranker"), reference("cart")
SUSPECTS = [
    suspect("a", 0.7, SHOP, f"{RANKER}@version:v2"),
    suspect("b", 0.1, SHOP, RANKER, CART),
    suspect("c", 0.1, SHOP),
]
NAMED = {
    "verdict": "suspect",
    "suspects": SUSPECTS,
    "ruled_out": [{"change": {"id": "d"}, "reason": "after_onset"}],
    "onset": {"at": "2025-01-01T00:01:00Z", "low": "2025-01-01T00:00:00Z", "high": "2025-01-01T00:02:00Z"},
}


def test_changes_are_placed_by_probability_and_equal_ones_share_a_place() -> None:
    assert grade_changes(NAMED, "a").place == Place(ahead=0)
    assert grade_changes(NAMED, "c").place == Place(ahead=1, tied=2)


def test_change_that_was_ruled_out_has_no_place() -> None:
    grade = grade_changes(NAMED, "d")
    assert grade.answerable
    assert grade.place is None


def test_answer_is_confident_only_with_a_likely_suspect_and_that_verdict() -> None:
    assert grade_changes(NAMED, "b").confidently_wrong == 1.0
    assert not grade_changes({**NAMED, "verdict": "tie"}, "b").confident
    assert not grade_changes({**NAMED, "suspects": SUSPECTS[1:]}, "b").confident


def test_answer_of_none_or_without_suspects_abstains() -> None:
    assert grade_changes({**NAMED, "verdict": "none"}, None).right == 1.0
    assert grade_changes({**NAMED, "suspects": []}, None).abstained


def test_services_are_placed_by_the_best_suspect_that_names_them() -> None:
    assert grade_services(NAMED, "ranker").place == Place(ahead=0)
    assert grade_services(NAMED, "cart").place == Place(ahead=1, tied=2)
    assert grade_services(NAMED, "elsewhere").place is None


def test_scores_without_any_ranked_change_abstain() -> None:
    assert grade_scores({}, "a").abstained
    assert grade_scores({"a": 1.0, "b": 1.0}, "a").place == Place(ahead=0, tied=2)


def test_published_ids_and_times_come_back_and_inferred_ids_stay() -> None:
    answer = as_published(NAMED, {"a": "dep-1", "d": "dep-2"}, shift_ns=60 * NS_PER_SECOND)
    assert [one["change"]["id"] for one in answer["suspects"]] == ["dep-1", "b", "c"]
    assert [one["change"]["id"] for one in answer["ruled_out"]] == ["dep-2"]
    assert answer["onset"]["at"] == "2025-01-01T00:00:00Z"
