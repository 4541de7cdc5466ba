import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.replay.metrics import Grade, Place, bootstrap_interval, place_of, summarise

scores = st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 4).map(float), min_size=1, max_size=9)


def right(place: Place | None = None) -> Grade:
    return Grade(answerable=True, place=place, abstained=False)


def test_place_best_of_all_is_certain_to_be_first() -> None:
    place = place_of("b", {"a": 1.0, "b": 3.0, "c": 2.0})
    assert place == Place(ahead=0)
    assert place.within(1) == 1.0
    assert place.reciprocal_rank == 1.0


def test_place_tied_for_first_shares_the_chance() -> None:
    place = place_of("b", {"a": 3.0, "b": 3.0, "c": 3.0, "d": 0.0})
    assert place == Place(ahead=0, tied=3)
    assert place.within(1) == pytest.approx(1 / 3)
    assert place.within(3) == 1.0
    assert place.reciprocal_rank == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_place_tie_that_straddles_the_cut_counts_in_part() -> None:
    assert Place(ahead=2, tied=2).within(3) == 0.5


def test_place_behind_the_cut_counts_nothing() -> None:
    assert Place(ahead=3).within(3) == 0.0


def test_place_of_unranked_truth_is_none() -> None:
    assert place_of("z", {"a": 1.0}) is None


@given(scores)
def test_chances_of_all_candidates_fill_the_places_exactly(ranking: dict[str, float]) -> None:
    for first in range(1, len(ranking) + 1):
        places = [place_of(name, ranking) for name in ranking]
        assert sum(place.within(first) for place in places if place) == pytest.approx(first)


@given(scores)
def test_reciprocal_ranks_of_all_candidates_sum_to_the_harmonic_number(ranking: dict[str, float]) -> None:
    places = [place_of(name, ranking) for name in ranking]
    expected = sum(1 / rank for rank in range(1, len(ranking) + 1))
    assert sum(place.reciprocal_rank for place in places if place) == pytest.approx(expected)


@given(scores)
def test_place_ignores_the_order_of_candidates(ranking: dict[str, float]) -> None:
    shuffled = dict(sorted(ranking.items(), reverse=True))
    assert [place_of(name, ranking) for name in ranking] == [place_of(name, shuffled) for name in ranking]


def test_grade_abstaining_is_right_only_where_nothing_is_guilty() -> None:
    assert Grade(answerable=False, place=None, abstained=True).right == 1.0
    assert Grade(answerable=True, place=Place(ahead=0), abstained=True).right == 0.0


def test_grade_naming_where_nothing_is_guilty_is_wrong() -> None:
    grade = Grade(answerable=False, place=None, abstained=False, confident=True)
    assert grade.right == 0.0
    assert grade.confidently_wrong == 1.0


def test_grade_unsure_wrong_name_is_not_confidently_wrong() -> None:
    assert Grade(answerable=True, place=Place(ahead=1), abstained=False).confidently_wrong == 0.0


def test_grade_confident_in_a_tie_is_wrong_by_the_share_of_the_others() -> None:
    grade = Grade(answerable=True, place=Place(ahead=0, tied=4), abstained=False, confident=True)
    assert grade.confidently_wrong == pytest.approx(0.75)


def test_summary_averages_accuracy_over_answerable_cases_only() -> None:
    grades = [right(Place(ahead=0)), right(Place(ahead=2)), Grade(answerable=False, place=None, abstained=True)]
    summary = summarise(grades, seed=1)
    assert (summary.cases, summary.answerable) == (3, 2)
    assert summary.first == 0.5
    assert summary.first_3 == 1.0
    assert summary.reciprocal_rank == pytest.approx((1 + 1 / 3) / 2)
    assert summary.right == pytest.approx(2 / 3)
    assert summary.abstained == pytest.approx(1 / 3)


def test_summary_unranked_truth_counts_as_missed_at_every_cut() -> None:
    summary = summarise([right(None)], seed=1)
    assert (summary.first, summary.first_3, summary.first_5, summary.reciprocal_rank) == (0.0, 0.0, 0.0, 0.0)


def test_summary_without_answerable_cases_has_zero_accuracy() -> None:
    summary = summarise([Grade(answerable=False, place=None, abstained=True)], seed=1)
    assert (summary.answerable, summary.first, summary.first_low, summary.first_high) == (0, 0.0, 0.0, 0.0)


def test_bootstrap_same_seed_gives_same_interval() -> None:
    values = [0.0, 1.0, 0.5, 1.0, 0.0, 1.0]
    assert bootstrap_interval(values, seed=7) == bootstrap_interval(values, seed=7)


def test_bootstrap_interval_holds_the_mean_and_narrows_with_more_cases() -> None:
    few, many = [0.0, 1.0] * 5, [0.0, 1.0] * 200
    few_low, few_high = bootstrap_interval(few, seed=7)
    many_low, many_high = bootstrap_interval(many, seed=7)
    assert few_low <= many_low <= 0.5 <= many_high <= few_high


def test_bootstrap_of_unanimous_cases_has_no_width() -> None:
    assert bootstrap_interval([1.0] * 9, seed=7) == (1.0, 1.0)
