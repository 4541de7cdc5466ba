"""The order that a case is put in: that of plain sorted rows, and the same for equal content however it was kept."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
from hypothesis import given, settings

from tests.unit.model.test_rows import EDGES, EXPOSURES, OPERATIONS
from whence.model.graph import EdgeRow, ExposureRow, OperationRow
from whence.model.rows import EdgeRows, ExposureRows, Names, OperationRows
from whence.model.sketch import encode
from whence.rca.canonical import in_order, inputs_hash, ordered
from whence.testing.cases import case_of, incident, rollout
from whence.testing.graphs import delta, key


@settings(deadline=None)
@given(EDGES, OPERATIONS, EXPOSURES)
def test_in_order_gives_what_sorting_rows_gives(
    edges: list[EdgeRow], operations: list[OperationRow], exposures: list[ExposureRow]
) -> None:
    assert list(in_order(EdgeRows.of(edges))) == sorted(edges)
    assert list(in_order(OperationRows.of(operations))) == sorted(operations)
    assert list(in_order(ExposureRows.of(exposures))) == sorted(exposures)


@settings(deadline=None)
@given(OPERATIONS)
def test_in_order_numbers_names_by_their_order_and_leaves_out_those_without_rows(
    operations: list[OperationRow],
) -> None:
    table = OperationRows.of(operations)
    wider = replace(table, node=Names((*table.node.values, "zz", "0"), table.node.codes))
    found = in_order(wider)
    assert found.node.values == tuple(sorted({row.node for row in operations}))
    assert np.array_equal(found.node.codes, in_order(table).node.codes)


def test_inputs_hash_tells_every_column_apart() -> None:
    case = ordered(case_of(delta(*rollout()), incident(key("shop"), 79)))
    first, *rest = case.exposures
    changed = (
        first,
        first._replace(operation="other"),
        first._replace(start_s=15),
        first._replace(requests=7.5),
        first._replace(latency=encode({1: 1.0})),
    )
    cases = [replace(case, exposures=ExposureRows.of([one, *rest])) for one in changed]
    assert len({inputs_hash(ordered(one)) for one in cases}) == len(changed)


def test_inputs_hash_of_shuffled_rows_is_the_same() -> None:
    case = case_of(delta(*rollout()), incident(key("shop"), 79))
    rows = list(case.exposures)
    random.Random(3).shuffle(rows)
    assert inputs_hash(ordered(replace(case, exposures=ExposureRows.of(rows)))) == inputs_hash(ordered(case))
