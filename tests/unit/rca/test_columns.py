"""The fast groupings give what their plain versions give."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.model.test_rows import EXPOSURES
from whence.model.graph import ExposureRow
from whence.model.rows import ExposureRows
from whence.rca.columns import in_first_order, median_of_known, numbered
from whence.rca.requests import Requests

CELLS = st.one_of(st.just(float("nan")), st.integers(-9, 9).map(lambda number: number / 7))


@settings(deadline=None)
@given(st.integers(1, 6).flatmap(lambda columns: st.lists(st.lists(CELLS, min_size=columns, max_size=columns))))
def test_median_of_known_is_numpys(rows: list[list[float]]) -> None:
    matrix = np.array([*rows, [0.5] * (len(rows[0]) if rows else 3)])
    assert np.array_equal(median_of_known(matrix), np.nanmedian(matrix, axis=0))


@settings(deadline=None)
@given(st.lists(st.integers(0, 5)))
def test_in_first_order_numbers_as_counting_up_does(items: list[int]) -> None:
    codes, first = in_first_order(np.array(items, dtype=np.int64))
    expected, numbers = numbered(items)
    assert np.array_equal(codes, expected)
    assert [items[at] for at in first.tolist()] == list(numbers)


@settings(deadline=None)
@given(EXPOSURES, st.sets(st.sampled_from(["", "a", "b", "ü", "unknown"])))
def test_requests_touching_nodes_are_the_rows_of_those_nodes(rows: list[ExposureRow], nodes: set[str]) -> None:
    requests = Requests(ExposureRows.of(rows), 15)
    expected = [at for at, row in enumerate(rows) if row.node in nodes]
    assert requests.touching(nodes).tolist() == expected
    assert requests.touching(iter(nodes)).tolist() == expected
