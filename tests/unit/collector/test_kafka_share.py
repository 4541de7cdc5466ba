"""What is folded of the partitions: however often consumers die between cuts, each record counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.kafka_topics import call_halves
from whence.collector.engine import Engine, PortableEngine, Request, Signal
from whence.collector.kafka.journal import Checkpoint, decode_checkpoint, encode_checkpoint
from whence.collector.kafka.share import SEGMENT_NS, Share
from whence.collector.kafka.sources import Partition
from whence.fold import SpanFolder
from whence.model.change import Change
from whence.model.delta import GraphDelta, merge
from whence.model.kinds import ChangeKind
from whence.otlp import DecodeLimits, Encoding

NOW_NS = 1_795_000_000_000_000_000
STEP_NS = SEGMENT_NS // 2 + 1
HOUR_NS = 3_600_000_000_000
PARTITIONS = [Partition("spans", number) for number in range(3)]


class Record(NamedTuple):
    partition: Partition
    body: bytes
    is_keyed: bool


class Group:
    """What outlives a consumer: topics, committed offsets with their journal, and the store."""

    def __init__(self, records: list[Record]) -> None:
        self.log = {one: [record for record in records if record.partition == one] for one in PARTITIONS}
        self.offsets = dict.fromkeys(PARTITIONS, 0)
        self.journal: dict[Partition, Checkpoint] = {}
        self.stored = GraphDelta()
        self.clock_ns = NOW_NS
        self._writers = (f"writer-{number}" for number in count())

    def join(self, partitions: Iterable[Partition] = PARTITIONS) -> Share:
        """A consumer of these partitions, which goes on from what is committed."""
        assigned = frozenset(partitions)
        share = Share(self._engine, self._writers.__next__, assigned)
        for partition in sorted(assigned):
            checkpoint = self.journal.get(partition, Checkpoint())
            share.restore(partition, self.offsets[partition], checkpoint, self.clock_ns)
            self.stored = merge(self.stored, checkpoint.delta)
        return share

    def split(self, mask: int) -> list[Share]:
        """Two consumers; the first has the partitions whose bits are set."""
        mine = {one for one in PARTITIONS if mask >> one.number & 1}
        return [self.join(mine), self.join(set(PARTITIONS) - mine)]

    def read(self, share: Share, partition: Partition) -> None:
        offset = share.offsets[partition]
        if offset == len(self.log[partition]):
            return
        record = self.log[partition][offset]
        request = Request(Signal.TRACES, Encoding.PROTOBUF, False, record.body)
        batch = share.decode(partition, request, self.clock_ns, is_keyed=record.is_keyed)
        share.fold(partition, batch, self.clock_ns, is_keyed=record.is_keyed)
        share.advance(partition, offset + 1)

    def cut(self, share: Share, *, is_stored: bool) -> None:
        """Commit; the consumer may die before the store has the rows."""
        cut = share.cut(self.clock_ns)
        if cut is None:
            return
        self.offsets |= cut.offsets
        for partition in cut.offsets:
            self.journal.pop(partition, None)
        self.journal |= {
            partition: decode_checkpoint(encode_checkpoint(checkpoint))
            for partition, checkpoint in cut.checkpoints.items()
        }
        if is_stored:
            self.stored = merge(self.stored, cut.delta)

    def counts(self) -> tuple[Counter[str], float]:
        """Spans by service, and calls from ``shop`` to ``pay``."""
        spans: Counter[str] = Counter()
        for key, row in self.stored.operations.items():
            spans[key.node] += round(row.calls)
        edges = self.stored.edges.items()
        return spans, sum(row.calls for key, row in edges if key.relation.dst == "otel://#pay")

    def _engine(self, _count: int) -> Engine:
        folder = SpanFolder(writer="unnamed", bucket_s=15, idle_ns=HOUR_NS, ttl_ns=HOUR_NS, max_open_spans=10_000)
        return PortableEngine(folder, DecodeLimits())


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Calls in halves: with a key both in one partition, without anywhere."""
    found = []
    for number in range(1, draw(st.integers(2, 9))):
        is_keyed = draw(st.booleans())
        homes = [draw(st.sampled_from(PARTITIONS))] * 2 if is_keyed else draw(st.permutations(PARTITIONS))[:2]
        halves = call_halves(number.to_bytes(16), start_ns=NOW_NS)
        found += [Record(home, half, is_keyed) for home, half in zip(homes, halves, strict=True)]
    return draw(st.permutations(found))


ALL_MINE = 7
STEPS = st.lists(st.sampled_from([*PARTITIONS, "cut", "die", "die unstored"]), max_size=60)
SPLITS = st.lists(st.sampled_from([*PARTITIONS, *range(8), "cut"]), max_size=60)


def run(group: Group, steps: list[Partition | int | str]) -> None:
    """Take the steps, then read all that is left and let every trace end."""
    shares = group.split(ALL_MINE)
    for step in steps:
        group.clock_ns += STEP_NS // 10
        if isinstance(step, Partition):
            (owner,) = (share for share in shares if step in share.assigned)
            group.read(owner, step)
        elif isinstance(step, int):
            shares = group.split(step)
        else:
            for share in shares if step != "die" else ():
                group.cut(share, is_stored=step == "cut")
            shares = group.split(ALL_MINE) if step != "cut" else shares
    for share in shares:
        for partition in share.assigned:
            for _ in group.log[partition]:
                group.read(share, partition)
        group.cut(share, is_stored=True)
    group.clock_ns += 2 * HOUR_NS
    for share in shares:
        group.cut(share, is_stored=True)


@given(records(), STEPS)
def test_every_span_and_every_call_counts_once_whenever_the_consumer_dies(
    log: list[Record], steps: list[Partition | int | str]
) -> None:
    group = Group(log)
    run(group, steps)
    calls = len(log) // 2
    assert group.counts() == ({"otel://#shop": calls, "otel://#pay": calls}, calls)


@given(records(), SPLITS)
def test_every_span_and_every_call_with_a_key_counts_once_however_partitions_move(
    log: list[Record], steps: list[Partition | int | str]
) -> None:
    group = Group(log)
    run(group, steps)
    calls, keyed = len(log) // 2, sum(record.is_keyed for record in log) // 2
    spans, paired = group.counts()
    assert spans == {"otel://#shop": calls, "otel://#pay": calls}
    assert keyed <= paired <= calls


def test_calls_without_keys_that_two_consumers_had_open_are_paired_by_the_one_that_follows_both() -> None:
    halves = [call_halves(bytes([number] * 16), start_ns=NOW_NS) for number in (1, 2)]
    firsts = [Record(PARTITIONS[number], half[0], False) for number, half in enumerate(halves)]
    group = Group([*firsts, *(Record(PARTITIONS[2], half[1], False) for half in halves)])
    for share, partition in zip(group.split(1), PARTITIONS, strict=False):
        group.read(share, partition)
        group.cut(share, is_stored=True)
    run(group, [])
    assert group.counts()[1] == 2


def test_traces_stay_open_over_a_pause_in_reading() -> None:
    first, second = call_halves(bytes([1] * 16), start_ns=NOW_NS)
    group = Group([Record(PARTITIONS[0], half, True) for half in (first, second)])
    share = group.join()
    group.read(share, PARTITIONS[0])
    group.clock_ns += 2 * HOUR_NS
    share.restart(group.clock_ns)
    group.cut(share, is_stored=True)
    group.read(share, PARTITIONS[0])
    group.clock_ns += 2 * HOUR_NS
    group.cut(share, is_stored=True)
    assert group.counts()[1] == 1


def test_nothing_read_and_nothing_waiting_makes_no_cut() -> None:
    share = Group([]).join()
    assert share.cut(NOW_NS) is None


def test_cut_that_waits_for_nothing_more_is_made_once_to_empty_the_journal() -> None:
    share = Group([]).join()
    change = Change("c", ChangeKind.DEPLOYMENT, "otel://shop#pay", NOW_NS, NOW_NS, NOW_NS)
    share.add(PARTITIONS[0], GraphDelta(changes={"c": change}))
    share.advance(PARTITIONS[0], 1)
    first, second, third = (share.cut(NOW_NS) for _ in range(3))
    assert first is not None
    assert first.delta.changes == {"c": change}
    assert second is not None
    assert not second.checkpoints
    assert third is None
