"""Laws of the fold: neither order nor chunking, neither repetition nor a crash changes what is counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

import pytest

from whence.fold import SpanFolder
from whence.model.delta import ALL_REQUESTS, GraphDelta
from whence.model.sketch import decode
from whence.model.spans import NO_FACTS, Facts, Source, Span

NS = 1_000_000_000
START = 1_000 * NS

FACTS = (
    NO_FACTS,
    Facts(models=("models#a@version:1",)),
    Facts(inputs=("lake#t@version:3", "lake#u"), models=("models#a@version:1",)),
    Facts(outputs=("lake#o@version:9",)),
    Facts(peer="net://h:1#h"),
    Facts(consumes=("kafka://b:9092#t",)),
    Facts(outputs=("kafka://b:9092#t",)),
    Facts(poor=True),
    Facts(flags=("flag://#f@version:on",)),
)


def sources() -> list[Source]:
    return [
        Source(f"otel://#s{number}", f"otel://#s{number}@version:{version}", environment, (("service.version", "1"),))
        for number in range(3)
        for version in range(2)
        for environment in ("", "production")
    ]


def random_spans(seed: int) -> list[Span]:
    """A few traces of odd shape: missing parents, circles, overlaps, sampling, two versions of one service."""
    dice = random.Random(seed)
    known = sources()
    spans = []
    for _ in range(dice.randrange(1, 6)):
        trace_id, count = dice.randbytes(16), dice.randrange(1, 14)
        ids = [dice.randbytes(8) for _ in range(count)]
        for position in range(count):
            parent = ids[dice.randrange(position)] if position else b""
            if dice.random() < 0.2:
                parent = dice.choice((b"", dice.randbytes(8), dice.choice(ids)))
            start = START + dice.randrange(40 * NS)
            duration = dice.choice((0, 5_000, 1_000_000, dice.randrange(10 * NS)))
            spans.append(
                Span(
                    trace_id=trace_id,
                    span_id=ids[position],
                    parent_id=parent,
                    kind=dice.randrange(6),
                    operation=f"op{dice.randrange(3)}",
                    start_ns=start,
                    end_ns=start + duration,
                    is_error=dice.random() < 0.3,
                    weight=dice.choice((1.0, 1.0, 4.0)),
                    source=dice.choice(known),
                    facts=dice.choice(FACTS),
                )
            )
    return spans


def folder(writer: str = "w") -> SpanFolder:
    return SpanFolder(writer=writer, idle_ns=NS, ttl_ns=60 * NS, max_open_spans=100_000)


def totals(*deltas: GraphDelta) -> dict[object, object]:
    """Everything that was counted, over all writers, in a form that compares."""
    found: dict[object, object] = {}
    counts: Counter[object] = Counter()
    for delta in deltas:
        found |= {entity.key: (entity.kind, entity.base) for entity in delta.entities.values()}
        found |= dict.fromkeys(delta.relations, "related")
        for rows in (delta.edges, delta.operations, delta.exposures):
            for key, row in rows.items():
                for field, value in row._asdict().items():
                    amounts = decode(value) if isinstance(value, bytes) else {None: value}
                    counts.update({(key[:-1], field, index): amount for index, amount in amounts.items()})
    return found | {key: round(amount, 3) for key, amount in counts.items() if amount}


def fold(chunks: Iterable[Sequence[Span]]) -> dict[object, object]:
    one = folder()
    for chunk in chunks:
        one.push(chunk, START)
    one.expire(START + 10 * NS)
    return totals(one.drain(START + 10 * NS))


@pytest.mark.parametrize("seed", range(60))
def test_fold_in_any_order_and_chunking_counts_the_same(seed: int) -> None:
    spans = random_spans(seed)
    dice = random.Random(-seed)
    shuffled = dice.sample(spans, len(spans))
    cuts = sorted(dice.choices(range(len(spans) + 1), k=3))
    chunks = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(spans)], strict=True)]
    assert fold(chunks) == fold([spans])


@pytest.mark.parametrize("seed", range(20))
def test_spans_sent_again_before_or_after_their_trace_closed_count_once(seed: int) -> None:
    spans = random_spans(seed)
    one = folder()
    one.push(spans, START)
    one.push(spans[::-1], START)
    one.expire(START + 2 * NS)
    first = one.drain(START + 2 * NS)
    one.push(spans, START + 3 * NS)
    one.expire(START + 5 * NS)
    again = one.drain(START + 5 * NS)
    assert totals(first) == fold([spans])
    assert (again.edges, again.operations, again.exposures) == ({}, {}, {})


@pytest.mark.parametrize("seed", range(20))
def test_fold_after_a_crash_gives_the_rows_of_a_fold_without_one(seed: int) -> None:
    """What is open is handed on as a checkpoint; the rest of the segment is folded again from there."""
    spans = random_spans(seed)
    half = len(spans) // 2
    steady = folder("before")
    steady.push(spans[:half], START)
    before = steady.drain(START)
    steady.roll("after")
    checkpoint = steady.open_spans()
    steady.push(spans[half:], START + NS // 2)
    steady.expire(START + 5 * NS)

    recovered = folder("after")
    recovered.restore(checkpoint, START)
    recovered.push(spans[half:], START + NS // 2)
    recovered.expire(START + 5 * NS)

    after = steady.drain(START + 5 * NS)
    assert recovered.drain(START + 5 * NS) == after
    assert totals(before, after) == fold([spans])


@pytest.mark.parametrize("seed", range(20))
def test_second_drain_holds_absolute_values_that_contain_the_first(seed: int) -> None:
    spans = random_spans(seed)
    one = folder()
    one.push(spans, START)
    one.expire(START + 2 * NS)
    first = one.drain(START + 2 * NS)
    assert one.drain(START + 2 * NS).rows == 0
    others = [span._replace(trace_id=span.trace_id[::-1]) for span in spans]
    one.push(others, START + 3 * NS)
    one.expire(START + 6 * NS)
    second = one.drain(START + 6 * NS)
    assert first.operations.keys() == second.operations.keys()
    assert all(second.operations[key].spans == 2 * row.spans for key, row in first.operations.items())


def test_roll_with_something_undrained_is_refused() -> None:
    one = folder()
    one.push(random_spans(1), START)
    one.expire(START + 2 * NS)
    with pytest.raises(RuntimeError, match="drain"):
        one.roll("next")


@pytest.mark.parametrize("seed", range(20))
def test_every_span_counts_in_one_operation_and_every_entry_in_all_requests(seed: int) -> None:
    spans = random_spans(seed)
    one = folder()
    one.push(spans, START)
    one.expire(START + 2 * NS)
    delta = one.drain(START + 2 * NS)
    assert sum(row.spans for row in delta.operations.values()) == len(spans)
    for key, row in delta.exposures.items():
        everything = delta.exposures[key._replace(node=ALL_REQUESTS)]
        assert row.spans <= everything.spans
        assert row.errors <= everything.errors
