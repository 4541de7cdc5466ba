"""What one consumer has of its group's partitions: how far it is in each, and what is folded and not yet committed.

A trace is folded where all its spans are. Records with keys are taken to be keyed by trace, as the Collector does with
``partition_traces_by_id``, so each partition has a fold of its own that moves with it. Records without keys strew a
trace over the topic, so one fold takes what this consumer gets of it; a second consumer would get the other half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from whence.collector.engine import Batch, Engine, Request
from whence.collector.kafka.journal import Checkpoint
from whence.collector.kafka.sources import Partition
from whence.model.delta import GraphDelta, merge, merge_all

SEGMENT_NS = 60 * 1_000_000_000
"""After this time a fold counts under a new writer, so that it can forget what it counted."""

_EVERY_PARTITION = -1

EngineFactory = Callable[[int], Engine]
"""Makes an engine under a writer of its own, for one of so many folds that share the bound on open spans."""


class Cut(NamedTuple):
    """All that changed up to some offsets."""

    offsets: dict[Partition, int]
    """The next to read in each partition that was read from."""
    checkpoints: dict[Partition, Checkpoint]
    """Of the partitions where there is something to keep."""

    @property
    def delta(self) -> GraphDelta:
        """The rows of all checkpoints."""
        return merge_all(checkpoint.delta for checkpoint in self.checkpoints.values())

    @property
    def open_spans(self) -> int:
        """Spans of open traces in all checkpoints."""
        return sum(len(checkpoint.keyed) + len(checkpoint.unkeyed) for checkpoint in self.checkpoints.values())


@dataclass(slots=True)
class _Fold:
    engine: Engine
    began_ns: int


@dataclass(slots=True)
class Share:
    """The partitions of one assignment. It is thrown away when the assignment ends. Not thread-safe."""

    make_engine: EngineFactory
    new_writer: Callable[[], str]
    assigned: frozenset[Partition] = frozenset()
    offsets: dict[Partition, int] = field(default_factory=dict)
    _folds: dict[Partition, _Fold] = field(default_factory=dict)
    """By partition; those of records without keys by topic, as partition ``_EVERY_PARTITION``."""
    _events: dict[Partition, GraphDelta] = field(default_factory=dict)
    _changed: bool = False

    def restore(self, partition: Partition, offset: int, checkpoint: Checkpoint, now_ns: int) -> None:
        """Go on from where a consumer before us committed. Its rows are the caller's to store."""
        self.offsets[partition] = offset
        self._changed |= bool(checkpoint)
        for spans, is_keyed in ((checkpoint.keyed, True), (checkpoint.unkeyed, False)):
            if spans:
                engine = self._fold(partition, now_ns, is_keyed=is_keyed).engine
                engine.restore([*engine.open_spans(), *spans], now_ns)

    def decode(self, partition: Partition, request: Request, now_ns: int, *, is_keyed: bool) -> Batch:
        """Read a request; changes nothing. Raises ``InputError`` when nothing of it can be used."""
        return self._fold(partition, now_ns, is_keyed=is_keyed).engine.decode(request, now_ns)

    def fold(self, partition: Partition, batch: Batch, now_ns: int, *, is_keyed: bool) -> None:
        """Fold what ``decode`` made of a record of this partition."""
        self._fold(partition, now_ns, is_keyed=is_keyed).engine.apply(batch, now_ns)

    def add(self, partition: Partition, delta: GraphDelta) -> None:
        """Take an event, complete in itself."""
        self._events[partition] = merge(self._events.get(partition, GraphDelta()), delta)

    def advance(self, partition: Partition, offset: int) -> None:
        """Say that all before this offset was taken, or put aside."""
        self.offsets[partition] = offset
        self._changed = True

    def restart(self, now_ns: int) -> None:
        """Wait for open traces as if their spans had come just now: nothing was read for a while, so they are not over.

        Costs as much as writing them down.
        """
        for fold in self._folds.values():
            fold.engine.restore(fold.engine.open_spans(), now_ns)

    def cut(self, now_ns: int) -> Cut | None:
        """Everything up to now, or None when nothing happened since the last cut and nothing waits."""
        checkpoints = {partition: Checkpoint(delta) for partition, delta in self._events.items() if delta.rows}
        self._events = {}
        for place, fold in self._folds.items():
            delta = self._drain(fold, now_ns)
            spans = tuple(fold.engine.open_spans())
            home = self._home(place)
            present = checkpoints.get(home, Checkpoint())
            kept = replace(present, delta=merge(present.delta, delta))
            is_keyed = place.number != _EVERY_PARTITION
            checkpoints[home] = replace(kept, keyed=spans) if is_keyed else replace(kept, unkeyed=spans)
        checkpoints = {partition: checkpoint for partition, checkpoint in checkpoints.items() if checkpoint}
        if not self._changed and not checkpoints:
            return None
        # The journal must once be told that nothing waits any more.
        self._changed = bool(checkpoints)
        return Cut(dict(self.offsets), checkpoints)

    def fold_counters(self) -> Counter[str]:
        """Totals of all folds, by event."""
        totals: Counter[str] = Counter()
        for fold in self._folds.values():
            totals.update(fold.engine.counters())
        return totals

    def _fold(self, partition: Partition, now_ns: int, *, is_keyed: bool) -> _Fold:
        place = partition if is_keyed else Partition(partition.topic, _EVERY_PARTITION)
        fold = self._folds.get(place)
        if fold is None:
            fold = self._folds[place] = _Fold(self.make_engine(max(1, len(self.assigned))), now_ns)
            fold.engine.roll(self.new_writer())
        return fold

    def _drain(self, fold: _Fold, now_ns: int) -> GraphDelta:
        fold.engine.expire(now_ns)
        delta = fold.engine.drain(now_ns)
        if now_ns - fold.began_ns > SEGMENT_NS:
            fold.engine.roll(self.new_writer())
            fold.began_ns = now_ns
        return delta

    def _home(self, place: Partition) -> Partition:
        """The partition that open spans move with."""
        if place.number != _EVERY_PARTITION:
            return place
        return min(partition for partition in self.offsets if partition.topic == place.topic)
