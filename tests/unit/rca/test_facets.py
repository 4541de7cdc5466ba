"""Facets beside each other: what is too little to matter doesn't count as much."""

from __future__ import annotations

import numpy as np

from whence.rca.facets import LEAST, Measured, in_proportion
from whence.rca.series import Durations


def measured(scores: list[float], added: list[float]) -> Measured:
    """One split of as many places as there are scores."""
    column = np.array(scores)[:, None]
    zeros = np.zeros_like(column)
    names = tuple(str(number) for number in range(len(scores)))
    return Measured("own_time", np.arange(len(scores)), names, column, zeros, zeros, np.array(added)[:, None])


def scores_of(*together: Measured) -> list[float]:
    return [float(score) for one in in_proportion(together) for score in one.scores[:, 0]]


def test_movement_that_adds_little_beside_another_counts_less() -> None:
    big, small = scores_of(measured([5.0, 5.0], [1000.0, 1.0]))
    assert big == 5.0
    assert small == 5.0 * LEAST


def test_movement_that_adds_a_fair_share_counts_in_full() -> None:
    assert scores_of(measured([5.0, 5.0], [1000.0, 300.0])) == [5.0, 5.0]


def test_facets_of_one_unit_are_compared_with_each_other() -> None:
    assert scores_of(measured([5.0], [1000.0]), measured([4.0], [0.0])) == [5.0, 4.0 * LEAST]


def test_what_did_not_clearly_move_dims_nobody() -> None:
    assert scores_of(measured([0.5, 5.0], [1000.0, 1.0])) == [0.5, 5.0]


def test_places_that_got_faster_keep_their_scores() -> None:
    assert scores_of(measured([-3.0, 5.0], [-500.0, 10.0])) == [-3.0, 5.0]


def test_added_time_is_what_as_many_would_not_have_taken_before() -> None:
    weight = np.array([[0.0, 10.0, 30.0]])
    spent = np.array([[0.0, 100.0, 700.0]])
    added = Durations(weight, weight, weight, spent).added()
    assert added[0, 1] == 600.0 - 10.0 * 20.0
