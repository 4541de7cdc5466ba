"""Names for numpy columns, and the one grouping that everything here is built from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def sum_by(group: Ints, values: Floats, groups: int) -> Floats:
    """Sum of values by group number in ``[0, groups)``."""
    return np.bincount(group, weights=values, minlength=groups).astype(np.float64)


def numbered(texts: Sequence[str]) -> tuple[Ints, dict[str, int]]:
    """A number for each text, equal texts alike, and the numbers by text."""
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(text, len(numbers)) for text in texts]
    return np.array(codes, dtype=np.int64), numbers
