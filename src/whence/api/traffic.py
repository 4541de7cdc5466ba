"""Calls over relations in a window, summed by relation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from whence.api.window import Window
from whence.model.delta import RelationKey
from whence.model.times import NS_PER_SECOND
from whence.store.protocol import BucketQuery, GraphReader

MOST_COUNTED_SECONDS = 6 * 3_600
"""Counts are read of the end of a window at most: a week of buckets says little more and takes far longer."""


class Volume(NamedTuple):
    """Calls and errors, weighted by sampling."""

    calls: float = 0.0
    errors: float = 0.0

    def plus(self, other: Volume) -> Volume:
        """Both together."""
        return Volume(self.calls + other.calls, self.errors + other.errors)


def counted_from_ns(window: Window) -> int:
    """Where the counted part of a window begins."""
    return max(window.from_ns, window.to_ns - MOST_COUNTED_SECONDS * NS_PER_SECOND)


async def read_traffic(reader: GraphReader, nodes: Iterable[str], window: Window) -> dict[RelationKey, Volume]:
    """Volumes of the relations among some nodes, in the counted part of a window."""
    query = BucketQuery(
        nodes=tuple(sorted(set(nodes))),
        from_s=counted_from_ns(window) // NS_PER_SECOND,
        to_s=-(-window.to_ns // NS_PER_SECOND),
        environment=window.environment,
        known_ns=window.known_ns,
    )
    rows = await reader.edge_rows(query)
    relations, codes = rows.relation.values, rows.relation.codes
    calls, errors = (np.bincount(codes, column, len(relations)).tolist() for column in (rows.calls, rows.errors))
    return {key: Volume(*counts) for key, *counts in zip(relations, calls, errors, strict=True)}
