"""Counts of one writer by bucket of time: up to the last drain as tallies, since then as pages of codes."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from whence.fold.catalog import Edge, Entry, Node, Operation, Shape, Sightings
from whence.fold.tallies import Tally
from whence.model.times import NS_PER_SECOND


@dataclass(eq=False, slots=True)
class Page:
    """What came in since the last drain, of one bucket and one sampling weight."""

    counts: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """How often each code occurred."""
    requests: list[tuple[Entry, int, int]] = field(default_factory=list)
    """Entry, bits of the nodes that were touched, and code without a number, of each request into a service."""


@dataclass(eq=False, slots=True)
class Bucket:
    """Everything drained so far of one bucket."""

    start_s: int
    counted: dict[Operation | Edge, Tally] = field(default_factory=dict)
    exposures: dict[tuple[Entry, Node], Tally] = field(default_factory=dict)


class Buckets:
    """Tallies stay here until the writer ends, since late spans may still add to any of them."""

    def __init__(self, bucket_s: int) -> None:
        self.width_ns = bucket_s * NS_PER_SECOND
        self._width_s = bucket_s
        self._buckets: dict[int, Bucket] = {}
        self.pages: dict[tuple[int, float], Page] = {}
        """By number of the bucket and weight."""
        self.logs: Counter[tuple[int, Operation]] = Counter()
        """Error logs since the last drain."""
        self.derivations: dict[tuple[Shape, int], Sightings] = {}
        """By shape of the spans that made something, and the bits of what it was made from."""

    def page(self, start_ns: int, weight: float) -> Page:
        """The page that a span of this start and weight goes to."""
        key = (start_ns // self.width_ns, weight)
        page = self.pages.get(key)
        if page is None:
            page = self.pages[key] = Page()
        return page

    def log(self, operation: Operation, time_ns: int) -> None:
        """Count one error log."""
        self.logs[time_ns // self.width_ns, operation] += 1

    def bucket(self, number: int) -> Bucket:
        """The tallies of a bucket."""
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = Bucket(number * self._width_s)
        return bucket

    @property
    def is_drained(self) -> bool:
        """Whether nothing came in since the last drain."""
        return not (self.pages or self.logs or self.derivations)
