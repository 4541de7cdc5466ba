"""Decoding many sketches at once gives what decoding each alone gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from whence.model.rows import blobs
from whence.model.sketch import MAX_INDEX, decode, encode, quantile
from whence.rca.sketches import BUCKETS, decode_all, histograms, quantile_index

SKETCHES = st.lists(
    st.dictionaries(st.integers(0, MAX_INDEX), st.integers(1, 10_000).map(float), max_size=6), max_size=8
)


@given(SKETCHES)
def test_decode_all_of_many_equals_decode_of_each(sketches: list[dict[int, float]]) -> None:
    encoded = [encode(sketch) for sketch in sketches]
    together = decode_all(blobs(encoded))
    for number, blob in enumerate(encoded):
        mine = together.row == number
        assert dict(zip(together.bucket[mine].tolist(), together.weight[mine].tolist(), strict=True)) == decode(blob)


@given(SKETCHES)
def test_histograms_of_one_group_hold_all_weight(sketches: list[dict[int, float]]) -> None:
    group = np.zeros(len(sketches), dtype=np.int64)
    histogram = histograms(decode_all(blobs([encode(sketch) for sketch in sketches])), group, 1)
    assert histogram.shape == (1, BUCKETS)
    assert histogram.sum() == sum(sum(sketch.values()) for sketch in sketches)


def test_histograms_leave_out_what_has_no_group() -> None:
    encoded = [encode({5: 2.0}), encode({5: 3.0})]
    assert histograms(decode_all(blobs(encoded)), np.array([-1, 0]), 1)[0, 5] == 3.0


def test_quantile_index_agrees_with_the_quantile_of_one_sketch() -> None:
    sketch = {10: 5.0, 40: 90.0, 100: 5.0}
    histogram = histograms(decode_all(blobs([encode(sketch)])), np.zeros(1, dtype=np.int64), 1)[0]
    assert quantile_index(histogram, 0.5) == 40
    assert quantile_index(histogram, 0.99) == 100
    assert quantile(sketch, 0.5) is not None


def test_quantile_index_of_nothing_is_the_last_bucket() -> None:
    assert quantile_index(np.zeros(BUCKETS), 0.5) == MAX_INDEX
