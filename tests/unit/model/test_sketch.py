"""The latency sketch: buckets tile the line, weights add up, quantiles stay inside the error bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.model.sketch import MAX_INDEX, RECORD_BYTES, add, bucket_bounds, bucket_index, decode, encode, quantile

LARGEST = bucket_bounds(MAX_INDEX)[1] - 1
durations = st.integers(0, LARGEST)
sketches = st.dictionaries(st.integers(0, MAX_INDEX), st.integers(1, 1_000).map(float), max_size=20)


def test_buckets_tile_the_line_without_gap_or_overlap() -> None:
    bounds = [bucket_bounds(index) for index in range(MAX_INDEX + 1)]
    assert bounds[0][0] == 0
    assert [high for _, high in bounds[:-1]] == [low for low, _ in bounds[1:]]


@given(durations)
def test_bucket_of_a_duration_holds_it(microseconds: int) -> None:
    low, high = bucket_bounds(bucket_index(microseconds))
    assert low <= microseconds < high


@given(durations)
def test_bucket_middle_is_within_an_eighth_of_the_duration(microseconds: int) -> None:
    low, high = bucket_bounds(bucket_index(microseconds))
    assert abs((low + high - 1) / 2 - microseconds) <= microseconds / 8


def test_durations_beyond_the_ends_fall_into_the_end_buckets() -> None:
    assert bucket_index(-5) == 0
    assert bucket_index(LARGEST + 1) == MAX_INDEX
    assert bucket_index(2**63) == MAX_INDEX


@given(sketches)
def test_encoded_sketch_decodes_to_itself(sketch: dict[int, float]) -> None:
    data = encode(sketch)
    assert len(data) == RECORD_BYTES * len(sketch)
    assert decode(data) == sketch
    assert list(decode(data)) == sorted(sketch)


def test_empty_sketch_is_no_bytes() -> None:
    assert encode({}) == b""
    assert decode(b"") == {}


@given(sketches, sketches)
def test_add_sums_weights_bucket_by_bucket(one: dict[int, float], other: dict[int, float]) -> None:
    total = dict(one)
    add(total, other.items())
    assert sum(total.values()) == sum(one.values()) + sum(other.values())
    assert all(total[index] == one.get(index, 0.0) + other.get(index, 0.0) for index in total)


@given(st.lists(durations, min_size=1, max_size=50), st.floats(0.01, 1.0))
def test_quantile_lies_in_the_bucket_of_the_true_one(values: list[int], fraction: float) -> None:
    sketch: dict[int, float] = {}
    add(sketch, ((bucket_index(value), 1.0) for value in values))
    found = quantile(sketch, fraction)
    assert found is not None
    below = sum(1 for value in values if bucket_bounds(bucket_index(value))[1] <= found)
    at_most = sum(1 for value in values if bucket_bounds(bucket_index(value))[0] <= found)
    assert below <= fraction * len(values) + 1e-6 <= at_most + 1e-6


@given(sketches.filter(bool), st.floats(0, 1), st.floats(0, 1))
def test_quantile_grows_with_the_fraction(sketch: dict[int, float], one: float, other: float) -> None:
    lower, upper = (quantile(sketch, fraction) for fraction in sorted((one, other)))
    assert lower is not None
    assert upper is not None
    assert lower <= upper


@pytest.mark.parametrize("empty", [{}, {3: 0.0}])
def test_quantile_of_no_weight_is_none(empty: dict[int, float]) -> None:
    assert quantile(empty, 0.5) is None
