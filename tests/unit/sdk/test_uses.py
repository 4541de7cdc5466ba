import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer

import whence
from whence.model.names import INPUTS, MAX_REFS_PER_SPAN, MODELS, OUTPUTS
from whence.sdk.edges import used
from whence.sdk.guard import losses

RANKER = "file#shop/ranker@version:v42"
FEATURES = "file#shop/features@version:s7"


def attributes(spans: InMemorySpanExporter) -> dict[str, dict[str, object]]:
    return {span.name: dict(span.attributes or {}) for span in spans.get_finished_spans()}


def test_uses_model_plain_call_tags_current_span(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    with tracer.start_as_current_span("request"):
        whence.uses_model(RANKER)
    assert attributes(spans) == {"request": {MODELS: (RANKER,)}}


def test_reads_and_writes_on_one_span_use_their_own_attributes(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    with tracer.start_as_current_span("job"):
        whence.reads(FEATURES)
        whence.writes(RANKER)
    assert attributes(spans) == {"job": {INPUTS: (FEATURES,), OUTPUTS: (RANKER,)}}


def test_reads_as_context_manager_tags_spans_started_inside_only(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    with whence.reads(FEATURES), tracer.start_as_current_span("inside"), tracer.start_as_current_span("deeper"):
        pass
    with tracer.start_as_current_span("after"):
        pass
    assert attributes(spans) == {"inside": {INPUTS: (FEATURES,)}, "deeper": {INPUTS: (FEATURES,)}, "after": {}}


def test_uses_nested_and_repeated_add_up_without_repeats(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    with whence.reads("file#a"), whence.reads("file#b"), whence.reads("file#a"), whence.uses_model(RANKER):
        tracer.start_span("inside").end()
    assert attributes(spans) == {"inside": {INPUTS: ("file#a", "file#b"), MODELS: (RANKER,)}}


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.CONSUMER])
def test_uses_around_a_span_that_serves_others_are_not_inherited(
    spans: InMemorySpanExporter, tracer: Tracer, kind: SpanKind
) -> None:
    with whence.reads(FEATURES):
        tracer.start_span("served", kind=kind).end()
    assert attributes(spans) == {"served": {}}


def test_uses_model_as_decorator_tags_caller_and_inner_spans(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    @whence.uses_model(RANKER)
    def rank(count: int) -> int:
        with tracer.start_as_current_span("inner"):
            return count + 1

    with tracer.start_as_current_span("outer"):
        assert rank(1) == 2
    assert attributes(spans) == {"inner": {MODELS: (RANKER,)}, "outer": {MODELS: (RANKER,)}}


async def test_uses_model_as_decorator_of_coroutine_keeps_concurrent_calls_apart(
    spans: InMemorySpanExporter, tracer: Tracer
) -> None:
    both_inside = asyncio.Barrier(2)

    @whence.uses_model(RANKER)
    async def rank(name: str) -> None:
        await both_inside.wait()
        with tracer.start_as_current_span(name):
            await both_inside.wait()

    await asyncio.gather(rank("first"), rank("second"))
    tracer.start_span("after").end()
    assert attributes(spans) == {"first": {MODELS: (RANKER,)}, "second": {MODELS: (RANKER,)}, "after": {}}


def test_reads_as_decorator_of_generator_covers_its_steps_and_not_their_consumer(
    spans: InMemorySpanExporter, tracer: Tracer
) -> None:
    @whence.reads(FEATURES)
    def rows() -> Generator[str, str, str]:
        tracer.start_span("made").end()
        answer = yield "first"
        tracer.start_span(answer).end()
        try:
            yield "second"
        except KeyError:
            yield "third"
        return "end"

    steps = rows()
    assert next(steps) == "first"
    tracer.start_span("consumer").end()
    assert steps.send("sent") == "second"
    assert steps.throw(KeyError()) == "third"
    with pytest.raises(StopIteration, match="end"):
        next(steps)
    assert attributes(spans) == {"made": {INPUTS: (FEATURES,)}, "consumer": {}, "sent": {INPUTS: (FEATURES,)}}


def test_reads_as_decorator_of_generator_that_is_closed_cleans_up() -> None:
    cleaned = []

    @whence.reads(FEATURES)
    def rows() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            cleaned.append(1)

    steps = rows()
    next(iter(steps))
    assert isinstance(steps, Generator)
    steps.close()
    assert cleaned == [1]


async def test_reads_as_decorator_of_asynchronous_generator_covers_its_steps_only(
    spans: InMemorySpanExporter, tracer: Tracer
) -> None:
    @whence.reads(FEATURES)
    async def rows() -> AsyncIterator[int]:
        for number in range(2):
            await asyncio.sleep(0)
            tracer.start_span(f"row {number}").end()
            yield number

    async for number in rows():
        tracer.start_span(f"consumer {number}").end()
    tagged = {INPUTS: (FEATURES,)}
    assert attributes(spans) == {"row 0": tagged, "consumer 0": {}, "row 1": tagged, "consumer 1": {}}


def test_uses_around_work_in_threads_follow_opentelemetrys_own_context(
    spans: InMemorySpanExporter, tracer: Tracer
) -> None:
    with whence.reads(FEATURES), ThreadPoolExecutor(1) as pool:
        pool.submit(copy_context().run, lambda: tracer.start_span("in a thread").end()).result()
    assert attributes(spans) == {"in a thread": {INPUTS: (FEATURES,)}}


def counts() -> dict[tuple[str, str], tuple[int, int]]:
    return {(edge.attribute, edge.ref): (edge.count, edge.errors) for edge in used()}


def test_every_use_counts_without_any_span_and_decorating_is_no_use() -> None:
    ref = "file#counted@version:1"

    @whence.reads(ref)
    def load() -> None:
        """Reads it."""

    assert (INPUTS, ref) not in counts()
    load()
    whence.reads(ref)
    with pytest.raises(ZeroDivisionError), whence.reads(ref):
        _ = 1 / 0
    assert counts()[INPUTS, ref] == (3, 1)


def test_uses_in_other_threads_do_not_mix(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    def work(number: int) -> None:
        with whence.reads(f"file#data/{number}"):
            tracer.start_span(str(number)).end()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(40)))
    assert attributes(spans) == {str(number): {INPUTS: (f"file#data/{number}",)} for number in range(40)}


def test_uses_lets_the_hosts_exception_through(tracer: Tracer) -> None:
    with pytest.raises(ZeroDivisionError), whence.reads(FEATURES):
        _ = 1 / 0


@pytest.mark.usefixtures("production")
def test_references_beyond_the_limit_are_counted_not_sent(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    before = sum(losses().values())
    with tracer.start_as_current_span("request"):
        for number in range(MAX_REFS_PER_SPAN + 2):
            whence.reads(f"file#{number}")
    assert attributes(spans) == {"request": {INPUTS: tuple(f"file#{number}" for number in range(MAX_REFS_PER_SPAN))}}
    assert sum(losses().values()) == before + 2


BROKEN = ["", "no-hash", "a#b#c", "#name", "space#in name", "a#b@version", "a#b@version:", "ü#b", "a#" + "b" * 255]


@pytest.mark.parametrize("ref", BROKEN)
def test_uses_of_broken_reference_raises_in_tests(ref: str) -> None:
    with pytest.raises(ValueError, match="expected namespace#name"):
        whence.reads(ref)


@pytest.mark.parametrize("ref", BROKEN)
@pytest.mark.usefixtures("production")
def test_uses_of_broken_reference_in_production_is_counted_and_harmless(
    spans: InMemorySpanExporter, tracer: Tracer, ref: str
) -> None:
    before = sum(losses().values())
    with tracer.start_as_current_span("outer"), whence.reads(ref), tracer.start_as_current_span("inner"):
        pass
    assert attributes(spans) == {"outer": {}, "inner": {}}
    assert sum(losses().values()) == before + 1


def test_uses_in_contexts_that_take_turns_tag_each_span(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    turns = [copy_context() for _ in range(2)]
    kept = [context.run(tracer.start_as_current_span, f"request {number}") for number, context in enumerate(turns)]
    for context, span in zip(turns, kept, strict=True):
        context.run(span.__enter__)
    for context in (*turns, *turns):
        context.run(whence.reads, FEATURES)
    for context, span in zip(turns, kept, strict=True):
        context.run(span.__exit__, None, None, None)
    assert attributes(spans) == {f"request {number}": {INPUTS: (FEATURES,)} for number in range(2)}


def test_use_keeps_no_span_alive(tracer: Tracer) -> None:
    with tracer.start_as_current_span("request") as span:
        whence.reads(FEATURES)
        alive = weakref.ref(span)
    del span
    gc.collect()
    assert alive() is None


def test_uses_without_any_span_does_nothing(spans: InMemorySpanExporter) -> None:
    whence.reads(FEATURES)
    assert attributes(spans) == {}
