"""A table of counts is a sequence of its rows, however its columns are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whence.model.delta import RelationKey
from whence.model.graph import EdgeRow, ExposureRow, OperationRow
from whence.model.kinds import RelationType
from whence.model.rows import EdgeRows, ExposureRows, Names, OperationRows
from whence.model.sketch import encode

NAMES, COUNTS = st.sampled_from(["", "a", "b", "ü"]), st.integers(0, 5).map(float)
SKETCHES = st.sampled_from([b"", encode({3: 1.0}), encode({4: 2.0, 9: 1.0})])
RELATIONS = st.builds(lambda src, dst: RelationKey(src, RelationType.CALLS, dst), NAMES, NAMES)
STARTS = st.integers(0, 3).map(lambda number: 1_700_000_000 + 15 * number)
EDGES = st.lists(st.builds(EdgeRow, RELATIONS, STARTS, COUNTS, COUNTS, COUNTS, SKETCHES, SKETCHES), max_size=12)
OPERATIONS = st.lists(
    st.builds(OperationRow, NAMES, NAMES, STARTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, SKETCHES), max_size=12
)
EXPOSURES = st.lists(
    st.builds(ExposureRow, NAMES, NAMES, NAMES, STARTS, COUNTS, COUNTS, COUNTS, COUNTS, SKETCHES), max_size=12
)


@settings(deadline=None)
@given(EDGES, OPERATIONS, EXPOSURES)
def test_rows_of_rows_are_those_rows(
    edges: list[EdgeRow], operations: list[OperationRow], exposures: list[ExposureRow]
) -> None:
    assert list(EdgeRows.of(edges)) == edges
    assert list(OperationRows.of(operations)) == operations
    assert list(ExposureRows.of(exposures)) == exposures


@settings(deadline=None)
@given(EDGES, st.data())
def test_rows_are_found_by_position_and_slice(edges: list[EdgeRow], data: st.DataObject) -> None:
    table = EdgeRows.of(edges)
    assert len(table) == len(edges)
    for at in range(-len(edges), len(edges)):
        assert table[at] == edges[at]
    some = data.draw(st.slices(len(edges)))
    assert list(table[some]) == edges[some]
    with pytest.raises(IndexError):
        table[len(edges)]


@settings(deadline=None)
@given(OPERATIONS)
def test_rows_taken_come_in_the_order_asked_for(operations: list[OperationRow]) -> None:
    order = np.random.default_rng(len(operations)).permutation(len(operations)).astype(np.int64)
    assert list(OperationRows.of(operations).take(order)) == [operations[at] for at in order.tolist()]


def test_rows_iterate_as_plain_values() -> None:
    (row,) = EdgeRows.of([EdgeRow(RelationKey("a", RelationType.CALLS, "b"), 15, 2, 1, 0, b"l", b"g")])
    assert [type(value) for value in row] == [RelationKey, int, float, float, float, bytes, bytes]


@settings(deadline=None)
@given(st.lists(st.integers(1, 9)))
def test_names_by_id_are_the_values_of_the_ids(ids: list[int]) -> None:
    values = {number: f"n{number}" for number in range(1, 10)}
    assert Names.by_id(ids, values).tolist() == [values[one] for one in ids]


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, st.integers(0, 3))))
def test_names_repeated_fill_as_many_rows(runs: list[tuple[str, int]]) -> None:
    column = Names.repeated([name for name, _ in runs], [times for _, times in runs])
    assert column.tolist() == [name for name, times in runs for _ in range(times)]
    assert Names.only("x", len(runs)).tolist() == ["x"] * len(runs)
