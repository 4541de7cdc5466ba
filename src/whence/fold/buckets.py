"""The tallies of one writer by bucket of time, and which of them changed since the last drain."""

from __future__ import annotations

from collections.abc import Iterator

from whence.fold.catalog import Node
from whence.fold.rows import ChangedBucket, Seen
from whence.fold.tables import Bucket
from whence.model.delta import RelationKey
from whence.model.kinds import RelationType
from whence.model.spans import Span
from whence.model.times import NS_PER_SECOND


class Derivation:
    """When one thing was seen to be made from another, or by a service."""

    __slots__ = ("first_ns", "known_ns", "last_ns")

    def __init__(self, known_ns: int) -> None:
        self.first_ns = 1 << 63
        self.last_ns = 0
        self.known_ns = known_ns


class Buckets:
    """Rows of one writer stay here until the writer ends, since late spans may still add to any of them."""

    def __init__(self, bucket_s: int) -> None:
        self.width_ns = bucket_s * NS_PER_SECOND
        self._width_s = bucket_s
        self._buckets: dict[int, Bucket] = {}
        self.touched: dict[int, Bucket] = {}
        """Buckets with something to drain, by number."""
        self.derivations: dict[tuple[Node, Node, str], Derivation] = {}
        """Things to drain that have no counts: (output, what it derives from, environment)."""
        self._examples: dict[int, tuple[int, bytes]] = {}
        """Of each relation used since the last drain, by number: when, and in which trace, it was used last."""

    def at(self, time_ns: int) -> Bucket:
        """The bucket that an instant falls into, about to be changed."""
        return self.numbered(time_ns // self.width_ns)

    def numbered(self, number: int) -> Bucket:
        """The bucket of a number, about to be changed."""
        bucket = self.touched.get(number)
        if bucket is None:
            bucket = self._buckets.get(number)
            if bucket is None:
                bucket = self._buckets[number] = Bucket(number * self._width_s)
            self.touched[number] = bucket
        return bucket

    def take_changed(self) -> Iterator[ChangedBucket]:
        """What changed since the last call, bucket by bucket."""
        touched, self.touched = self.touched, {}
        for bucket in touched.values():
            tables = bucket.operations, bucket.edges, bucket.exposures
            yield ChangedBucket(bucket.start_s, *(table.take_changed() for table in tables))

    def take_derivations(self) -> Iterator[tuple[RelationKey, Seen]]:
        """What was seen to derive from what since the last call."""
        derivations, self.derivations = self.derivations, {}
        for (output, used, environment), seen in derivations.items():
            key = RelationKey(output.key, RelationType.DERIVED_FROM, used.key, environment)
            yield key, Seen(seen.first_ns, seen.last_ns, seen.known_ns)

    def take_examples(self) -> dict[int, tuple[int, bytes]]:
        """The latest use of each relation used since the last call: when it ended, and the trace."""
        examples, self._examples = self._examples, {}
        return examples

    def exemplify(self, edge: int, used: tuple[int, bytes]) -> None:
        """Note when a relation was used, and in which trace."""
        self._examples[edge] = max(used, self._examples.get(edge, used))

    def derive(self, key: tuple[Node, Node, str], span: Span, known_ns: int) -> None:
        """Note that a span made something from something."""
        seen = self.derivations.get(key)
        if seen is None:
            seen = self.derivations[key] = Derivation(known_ns)
        seen.first_ns = min(seen.first_ns, span.start_ns)
        seen.last_ns = max(seen.last_ns, span.end_ns)
