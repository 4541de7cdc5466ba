"""Cutting a delta that is too large for one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import islice

from whence.model.delta import GraphDelta


def parts(delta: GraphDelta, max_rows: int) -> Iterator[GraphDelta]:
    """Deltas of at most ``max_rows`` rows that together say the same; the delta itself if it is small enough.

    What names something comes after what describes it: the fields of a delta are in that order.
    """
    if delta.rows <= max_rows:
        yield delta
        return
    for field in fields(delta):
        rows = iter(getattr(delta, field.name).items())
        while part := dict(islice(rows, max_rows)):
            yield GraphDelta(**{field.name: part})
