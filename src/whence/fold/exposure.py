"""Requests that touched sets of nodes, spread over the single nodes.

How this works: requests of one entry form a matrix of distinct sets times distinct codes; the sets themselves are a
matrix of sets times nodes. Their product says how often each code occurred with each node, for all of them in one step.
All numbers are whole, so the result is exact and the same in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

_CHUNK = 512
"""Requests per step, which bounds the matrices to this many rows."""


def spread(requests: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Number of a node's bit, a code, and how many of the (mask, code) ``requests`` had both; pairs may come again."""
    for start in range(0, len(requests), _CHUNK):
        yield from _spread(requests[start : start + _CHUNK])


def _spread(requests: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    rows: dict[int, int] = {}
    columns: dict[int, int] = {}
    cells = [(rows.setdefault(mask, len(rows)), columns.setdefault(code, len(columns))) for mask, code in requests]
    occurred = np.zeros((len(rows), len(columns)))
    np.add.at(occurred, tuple(np.array(cells).T), 1)
    together = _bit_matrix(list(rows)).T.astype(float) @ occurred
    codes = list(columns)
    nodes, places = together.nonzero()
    counts = together[nodes, places].astype(int)
    for node, place, count in zip(nodes.tolist(), places.tolist(), counts.tolist(), strict=True):
        yield node, codes[place], count


def _bit_matrix(masks: Sequence[int]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """One row for each mask, one column for each bit, lowest first."""
    width = (max(masks).bit_length() + 7) // 8
    packed = np.frombuffer(b"".join(mask.to_bytes(width, "little") for mask in masks), dtype=np.uint8)
    return np.unpackbits(packed.reshape(len(masks), width), axis=1, bitorder="little")
