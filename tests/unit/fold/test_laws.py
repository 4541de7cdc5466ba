"""Laws of the fold, over made-up traces of all shapes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fold.folding import IDLE_NS, NOW_NS, SECOND_NS, closed, fold, new_folder
from whence.model.delta import ALL_REQUESTS, GraphDelta, merge_all
from whence.model.sketch import decode
from whence.model.spans import Facts, Source, Span
from whence.testing.spans import source, span

MODELS = ("ml://#fraud@version:6", "ml://#fraud@version:7")
FACTS = (
    Facts(),
    Facts(models=MODELS[:1]),
    Facts(models=MODELS[1:], poor=True),
    Facts(inputs=("s3://lake#a@iceberg:1",), outputs=("kafka://b:9092#t",)),
    Facts(consumes=("kafka://b:9092#t",)),
    Facts(peer="net://#far:443"),
    Facts(flags=("flag://#f@version:on",), prompts=("prompt://#p@version:1",)),
)
SOURCES = (
    *(source(name, version) for name in ("web", "cart", "db") for version in ("v1", "v2", None)),
    source("ml", models=MODELS[:1], inputs=("s3://lake#b",)),
    source("cart", "v1", "staging"),
)


@st.composite
def traces(draw: st.DrawFn) -> list[Span]:
    """Up to four traces; parents may be missing, lead in circles, or start after their children."""
    spans: list[Span] = []
    for trace in range(1, draw(st.integers(1, 4)) + 1):
        size = draw(st.integers(1, 8))
        spans.extend(draw(spans_of(trace, number, size)) for number in range(1, size + 1))
    return spans


@st.composite
def spans_of(draw: st.DrawFn, trace: int, number: int, size: int) -> Span:
    """One span of a trace of ``size``: mostly in a tidy tree, sometimes under any other."""
    return span(
        number,
        draw(st.integers(0, size + 1)) if draw(st.integers(0, 5)) == 0 else number // 2,
        trace=trace,
        service=draw(st.sampled_from(SOURCES)),
        kind=draw(st.integers(0, 5)),
        operation=draw(st.sampled_from(["a", "b"])),
        at_ms=draw(st.sampled_from([0, 3, 5, 14_998, 15_020])),
        millis=draw(st.sampled_from([0, 1, 7, 40_000])),
        error=draw(st.booleans()),
        weight=draw(st.sampled_from([1.0, 1.0, 2.5, 1 + 1 / 1024])),
        facts=draw(st.sampled_from(FACTS)),
    )


def shuffled(spans: list[Span], seed: int) -> list[Span]:
    return random.Random(seed).sample(spans, len(spans))


def chunks(spans: list[Span], seed: int) -> Iterator[list[Span]]:
    dice = random.Random(seed)
    while spans:
        size = dice.randint(1, len(spans))
        yield spans[:size]
        spans = spans[size:]


def copied(spans: list[Span]) -> list[Span]:
    """Equal spans that share no object with the given ones."""
    return [one._replace(source=Source(*one.source), facts=Facts(*one.facts)) for one in spans]


@settings(deadline=None, max_examples=60)
@given(traces(), st.integers(0, 99))
def test_fold_is_the_same_in_any_order_and_any_chunks(spans: list[Span], seed: int) -> None:
    folder = new_folder()
    for chunk in chunks(shuffled(spans, seed), seed):
        folder.push(chunk, NOW_NS)
    assert closed(folder) == fold(*spans)


@settings(deadline=None, max_examples=60)
@given(traces(), st.integers(0, 99))
def test_fold_of_spans_pushed_again_before_closing_is_the_same(spans: list[Span], seed: int) -> None:
    folder = new_folder()
    folder.push(spans, NOW_NS)
    folder.push(shuffled(copied(spans), seed), NOW_NS)
    assert closed(folder) == fold(*spans)


@settings(deadline=None, max_examples=60)
@given(traces(), st.integers(0, 99))
def test_fold_is_the_same_however_often_it_is_drained(spans: list[Span], seed: int) -> None:
    once, often, deltas = new_folder(), new_folder(), []
    for number, chunk in enumerate(chunks(spans, seed)):
        for folder in (once, often):
            folder.push(chunk, NOW_NS + number * 2 * SECOND_NS)
        deltas.append(often.drain(NOW_NS))
    deltas.append(closed(often))
    assert merge_all(deltas) == closed(once)


@settings(deadline=None, max_examples=60)
@given(traces(), st.integers(0, 99), st.booleans())
def test_fold_after_a_crash_is_as_if_there_had_been_none(spans: list[Span], seed: int, anew: bool) -> None:
    """A segment begins with what is open; replaying it gives the rows of the writer that never stopped."""
    parts = list(chunks(shuffled(spans, seed), seed))
    head, tail = parts[: len(parts) // 2], parts[len(parts) // 2 :]
    living = new_folder("one")
    for number, chunk in enumerate(head):
        living.push(chunk, NOW_NS + number * 3 * SECOND_NS)
    rolled_ns = NOW_NS + len(head) * 3 * SECOND_NS
    living.expire(rolled_ns)
    living.drain(rolled_ns)
    carried = copied(living.open_spans())
    living.roll("two")
    revived = new_folder("two")
    if anew:
        revived.push([span(7, trace=99)], NOW_NS)
    revived.restore(carried, rolled_ns)
    for number, chunk in enumerate(tail):
        for folder in (living, revived):
            folder.push(chunk, rolled_ns + number * 3 * SECOND_NS)
    assert closed(revived) == closed(living)


@settings(deadline=None, max_examples=60)
@given(traces(), st.integers(0, 99))
def test_roll_moves_counts_between_writers_and_loses_none(spans: list[Span], seed: int) -> None:
    folder, deltas = new_folder("w0"), []
    for number, chunk in enumerate(chunks(spans, seed), 1):
        folder.push(chunk, NOW_NS)
        deltas.append(folder.drain(NOW_NS))
        folder.roll(f"w{number}")
    deltas.append(closed(folder))
    assert totals(merge_all(deltas)) == totals(fold(*spans))


@settings(deadline=None, max_examples=60)
@given(traces())
def test_replay_with_the_same_clocks_gives_the_same_rows(spans: list[Span]) -> None:
    results = []
    for looks_often in (True, False):
        folder = new_folder()
        for number, one in enumerate(spans):
            now_ns = NOW_NS + number * IDLE_NS // 2
            folder.push([one], now_ns)
            if looks_often:
                for step in range(4):
                    folder.expire(now_ns + step * IDLE_NS // 8)
        results.append(closed(folder))
    assert results[0] == results[1]


@settings(deadline=None, max_examples=60)
@given(traces())
def test_every_span_is_counted_in_exactly_one_operation(spans: list[Span]) -> None:
    unique = {(one.trace_id, one.span_id): one for one in spans}
    rows = fold(*spans).operations.values()
    assert sum(row.spans for row in rows) == len(unique)
    assert sum(row.calls for row in rows) == sum(one.weight for one in unique.values())
    assert all(sum(decode(row.self_time).values()) <= row.calls for row in rows)


@settings(deadline=None, max_examples=60)
@given(traces())
def test_no_node_is_touched_by_more_requests_than_came_in(spans: list[Span]) -> None:
    delta = fold(*spans)
    for key, row in delta.exposures.items():
        everything = delta.exposures[key._replace(node=ALL_REQUESTS)]
        assert all(part <= whole for part, whole in zip(row[:5], everything[:5], strict=True))


@settings(deadline=None, max_examples=60)
@given(traces())
def test_everything_a_row_names_is_in_the_delta(spans: list[Span]) -> None:
    delta = fold(*spans)
    named = {key.node for key in delta.operations} | {key.node for key in delta.exposures if key.node}
    for relation in delta.relations:
        named |= {relation.src, relation.dst}
    assert named | {entity.base for entity in delta.entities.values()} == set(delta.entities)
    assert {key.relation for key in delta.edges} <= set(delta.relations)


def totals(delta: GraphDelta) -> dict[Any, tuple[float, ...]]:
    """Sums of rows over writers."""
    sums: dict[Any, tuple[float, ...]] = {}
    for part in (delta.edges, delta.operations, delta.exposures):
        for key, counts in part.items():
            numbers = tuple(value for value in counts if not isinstance(value, bytes))
            anonymous = key._replace(writer="")
            sums[anonymous] = tuple(map(sum, zip(numbers, sums.get(anonymous, (0,) * len(numbers)), strict=True)))
    return sums


def test_what_a_process_uses_is_named_though_no_request_entered() -> None:
    """An orphan makes something: what its process uses counts only with a request, and is what it was made from."""
    maker = source("ml", models=MODELS[:1], inputs=("s3://lake#b",))
    delta = fold(span(1, 2, service=maker, kind=1, facts=FACTS[3]))
    ends = {end for relation in delta.relations for end in (relation.src, relation.dst)}
    assert {*MODELS[:1], "s3://lake#b"} <= ends <= set(delta.entities)
