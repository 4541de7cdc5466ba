"""Many stored latency sketches at once, as numpy columns. The format is that of ``model.sketch``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from whence.model.rows import Blobs
from whence.model.sketch import MAX_INDEX, bucket_bounds
from whence.rca.columns import Floats, Ints, sum_by

BUCKETS = MAX_INDEX + 1
_RECORD = np.dtype([("index", "u1"), ("weight", "<f4")])
_BOUNDS = np.array([bucket_bounds(index) for index in range(BUCKETS)], dtype=np.float64)

MIDDLE_US: Floats = _BOUNDS.mean(axis=1)
"""Middle of each bucket in microseconds."""
LOG_MIDDLE: Floats = np.log(np.maximum(MIDDLE_US, 1.0))
"""Its natural logarithm; durations are compared as ratios."""


class Sketches(NamedTuple):
    """Buckets that were hit, of many sketches: three columns of equal length."""

    row: Ints
    """Position of the sketch that the bucket belongs to."""
    bucket: Ints
    weight: Floats


def decode_all(blobs: Blobs) -> Sketches:
    """Decode stored sketches; an empty one gives no buckets. One numpy call whatever the number."""
    encoded = blobs.tolist()
    records = np.frombuffer(b"".join(encoded), dtype=_RECORD)
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)) // _RECORD.itemsize
    row = np.repeat(np.arange(len(blobs), dtype=np.int64), lengths)
    return Sketches(row, records["index"].astype(np.int64), records["weight"].astype(np.float64))


def histograms(sketches: Sketches, group: Ints, groups: int) -> Floats:
    """Sum sketches by group (one number for each sketch, negative: left out); shape ``[groups, BUCKETS]``."""
    target = group[sketches.row]
    kept = target >= 0
    flat = sum_by(target[kept] * BUCKETS + sketches.bucket[kept], sketches.weight[kept], groups * BUCKETS)
    return flat.reshape(groups, BUCKETS)


def quantile_index(histogram: Floats, fraction: float) -> int:
    """Index of the bucket that holds a quantile of one histogram; ``MAX_INDEX`` when it is empty."""
    total = float(histogram.sum())
    if total <= 0:
        return MAX_INDEX
    return int(np.searchsorted(np.cumsum(histogram), fraction * total - 1e-9))
