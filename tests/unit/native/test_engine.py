"""The compiled engine against the portable one: whatever comes in, in whatever order, they say the same."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from tests.bench.payloads import START_NS as BENCH_START_NS
from tests.bench.payloads import TRACE_MARK
from tests.bench.payloads import requests as bench_requests
from tests.unit.fold.folding import IDLE_NS, TTL_NS
from tests.unit.fold.folding import NOW_NS as FOLD_NOW_NS
from tests.unit.fold.test_laws import chunks, copied, shuffled, traces
from tests.unit.native.requests import damaged, requests
from tests.unit.otlp.llm_spans import SPANS
from tests.unit.otlp.wire import NOW_NS, START_NS, body_of, key_values, logs_request, traces_request, wire_span
from whence.collector.checkpoint import decode_spans
from whence.collector.engine import Engine, Folder, Request, Signal
from whence.collector.engines import FoldOptions, make_engine
from whence.errors import WhenceError
from whence.fold import SpanFolder
from whence.fold.native import NativeFolder
from whence.model.delta import GraphDelta, RelationKey
from whence.model.kinds import RelationType
from whence.model.spans import Facts, Source, Span
from whence.otlp import DecodeLimits, Encoding

SECOND_NS = 1_000_000_000
Answer = object


class Step(NamedTuple):
    """One call of an engine, some time after the one before."""

    after_ns: int
    call: Callable[[Engine, int], Answer]


def submit(request: Request) -> Callable[[Engine, int], Answer]:
    def call(engine: Engine, now_ns: int) -> Answer:
        try:
            batch = engine.decode(request, now_ns)
        except WhenceError as error:
            return f"{type(error).__name__}: {error}"
        engine.apply(batch, now_ns)
        return batch.records, batch.rejections, batch.error_logs, batch.delta

    return call


def expire(engine: Engine, now_ns: int) -> Answer:
    engine.expire(now_ns)
    return None


def drain(engine: Engine, now_ns: int) -> Answer:
    return engine.drain(now_ns)


def roll(engine: Engine, now_ns: int) -> Answer:
    rows, open_spans = engine.drain(now_ns), engine.open_spans()
    engine.roll(f"w{now_ns}")
    return rows, open_spans


def revive(engine: Engine, now_ns: int) -> Answer:
    """As a start after a crash: other objects, and those open spans alone."""
    spans = decode_spans(engine.checkpoint())
    assert spans == engine.open_spans()
    engine.restore(spans[: len(spans) // 2 + 1], now_ns)
    return engine.open_spans()


def look(engine: Engine, now_ns: int) -> Answer:
    return engine.counters(), engine.open_spans(), decode_spans(engine.checkpoint())


def engines(max_open_spans: int = 1_000) -> tuple[Engine, Engine]:
    fold = FoldOptions(bucket_s=15, idle_ns=IDLE_NS, ttl_ns=TTL_NS, max_open_spans=max_open_spans)
    return make_engine("portable", fold, DecodeLimits()), make_engine("native", fold, DecodeLimits())


def assert_same(steps: Sequence[Step], pair: tuple[Engine, Engine]) -> GraphDelta:
    """Both engines answer each step alike; returns what the last drain gave."""
    now_ns = NOW_NS
    for after_ns, call in steps:
        now_ns += after_ns
        expected, found = (call(engine, now_ns) for engine in pair)
        assert found == expected
    now_ns += 10 * TTL_NS
    for engine in pair:
        engine.expire(now_ns)
    expected, found = (engine.drain(now_ns) for engine in pair)
    assert found == expected
    assert pair[1].counters() == pair[0].counters()
    return found


def in_json(request: object) -> Request:
    return Request(Signal.TRACES, Encoding.JSON, False, body_of(request, Encoding.JSON))  # type: ignore[arg-type]


def in_protobuf(body: bytes) -> Request:
    return Request(Signal.TRACES, Encoding.PROTOBUF, False, body)


def in_gzip(body: bytes) -> Request:
    return Request(Signal.TRACES, Encoding.PROTOBUF, True, gzip.compress(body, 1))


def log_request(second: int) -> Request:
    record = LogRecord(time_unix_nano=START_NS + second * SECOND_NS, severity_number=17)  # type: ignore[arg-type]
    return Request(Signal.LOGS, Encoding.PROTOBUF, False, logs_request(record).SerializeToString())


BODIES = requests().map(lambda request: request.SerializeToString())
SUBMITTED = st.one_of(
    BODIES.map(in_protobuf),
    BODIES.map(in_protobuf),
    BODIES.map(in_protobuf),
    BODIES.map(in_gzip),
    requests().map(in_json),
    damaged().map(in_protobuf),
    st.integers(0, 40).map(log_request),
)
CALLS = st.one_of(SUBMITTED.map(submit), SUBMITTED.map(submit), st.sampled_from([expire, drain, roll, revive, look]))
STEPS = st.lists(st.builds(Step, st.sampled_from([0, 0, 1, SECOND_NS, IDLE_NS, TTL_NS]), CALLS), max_size=12)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.sampled_from([3, 1_000]))
def test_engines_answer_alike_whatever_they_are_asked(steps: list[Step], max_open_spans: int) -> None:
    assert_same(steps, engines(max_open_spans=max_open_spans))


@settings(deadline=None, max_examples=60)
@given(traces(), st.integers(0, 99), st.integers(1, 9))
def test_folders_give_the_same_rows_for_any_traces_chunks_and_clocks(
    spans: list[Span], seed: int, max_open_spans: int
) -> None:
    pair: list[Folder] = [
        folder(writer="w", idle_ns=IDLE_NS, ttl_ns=TTL_NS, max_open_spans=max_open_spans)
        for folder in (SpanFolder, NativeFolder)
    ]
    dice, now_ns = random.Random(seed), FOLD_NOW_NS
    for chunk in chunks(shuffled([*spans, *copied(spans[::3])], seed), seed):
        now_ns += dice.choice((0, SECOND_NS, IDLE_NS))
        for folder in pair:
            folder.push(chunk, now_ns)
        if dice.random() < 0.3:
            assert pair[1].drain(now_ns) == pair[0].drain(now_ns)
        assert pair[1].open_spans() == pair[0].open_spans()
    for folder in pair:
        folder.expire(now_ns + TTL_NS)
    assert pair[1].drain(now_ns + TTL_NS) == pair[0].drain(now_ns + TTL_NS)
    assert pair[1].stats == pair[0].stats


def test_engines_name_the_caller_of_a_call_that_only_heartbeats_tell() -> None:
    def report(name: str, description: dict[str, str], *relationships: dict[str, object]) -> Step:
        event = {
            "entity.type": "service.instance",
            "entity.id": {"service.name": name},
            "entity.description": description,
            "entity.relationships": list(relationships),
        }
        record = LogRecord(time_unix_nano=START_NS, event_name="entity.state", attributes=key_values(event))
        body = logs_request(record, resource={"service.name": name, "service.version": "1"}).SerializeToString()
        return Step(1, submit(Request(Signal.LOGS, Encoding.PROTOBUF, False, body)))

    called: dict[str, object] = {
        "relationship.type": "called_by",
        "entity.type": "service",
        "entity.id": {"whence.id": "0a1b2c3d"},
    }
    delta = assert_same([report("pay", {}, called), report("shop", {"whence.id": "0a1b2c3d"})], engines())
    assert RelationKey("otel://#shop@version:1", RelationType.CALLS, "otel://#pay@version:1") in delta.relations
    assert delta.edges == {}


def test_engines_count_a_load_alike() -> None:
    """Many traces at once, over several batches of counting, with what is late, again, and rolled in between."""
    dice = random.Random(4)
    bodies = [request.body for request in bench_requests(4, spans=14_000, spans_per_request=200)]
    bodies += [body.replace(TRACE_MARK, b"again!!!") for body in bodies[::9]]
    bodies += dice.sample(bodies, 8)
    pair = engines(max_open_spans=6_000)
    ahead_ns = BENCH_START_NS - NOW_NS
    steps = [Step(ahead_ns, expire)]
    for number, body in enumerate(bodies):
        steps.append(Step(dice.choice((0, SECOND_NS // 2)), submit(in_protobuf(body))))
        if number % 12 == 11:
            steps.append(Step(0, dice.choice((drain, roll, look))))
    delta = assert_same(steps, pair)
    assert delta.rows > 100


def test_engines_agree_on_a_trace_without_end_and_on_durations_of_years() -> None:
    long = [wire_span(span_id=number.to_bytes(8, "big"), kind=1) for number in range(1, 10_050)]
    years = [
        wire_span(
            span_id=bytes([number]) * 8,
            parent_span_id=bytes([number // 2]) * 8,
            trace_id=bytes([9, number % 3]) * 8,
            start_time_unix_nano=number,
            end_time_unix_nano=NOW_NS - number,
        )
        for number in range(1, 40)
    ]
    steps = [
        Step(0, submit(in_protobuf(traces_request(*long).SerializeToString()))),
        Step(1, submit(in_protobuf(traces_request(wire_span(), *years).SerializeToString()))),
        Step(1, look),
        Step(0, drain),
    ]
    assert_same(steps, engines(max_open_spans=100_000))


def test_engines_agree_on_weights_too_large_for_exact_sums() -> None:
    states = ["ot=th:ffffffffffffff", "ot=th:8", "ot=th:fffff", ""]
    spans = [
        wire_span(span_id=bytes([number]) * 8, trace_id=bytes([number]) * 16, trace_state=states[number % 4])
        for number in range(1, 60)
    ]
    assert_same([Step(0, submit(in_protobuf(traces_request(*spans).SerializeToString())))], engines())


def test_folders_agree_on_kinds_that_nobody_knows() -> None:
    kinds = (-1, -2, 6, 2**40, 2**90)
    source, facts = Source("otel://#s", "otel://#s", "", ()), Facts()
    spans = [
        Span(bytes([n]) * 16, b"12345678", b"", kind, "op", START_NS, START_NS + 5, False, 1.0, source, facts)
        for n, kind in enumerate(kinds, 1)
    ]
    pair = [folder(writer="w", idle_ns=1, ttl_ns=1, max_open_spans=99) for folder in (SpanFolder, NativeFolder)]
    for folder in pair:
        folder.push(spans, NOW_NS)
    assert pair[1].open_spans() == pair[0].open_spans() == spans
    for folder in pair:
        folder.expire(NOW_NS + 5)
    assert pair[1].drain(NOW_NS + 5) == pair[0].drain(NOW_NS + 5)


def test_spans_of_language_model_clients_give_the_same() -> None:
    spans = [
        wire_span(attributes=span.attributes, span_id=bytes([number]) * 8)
        for number, span in enumerate(SPANS.values(), start=1)
    ]
    body = traces_request(*spans).SerializeToString()
    steps = [Step(0, submit(Request(Signal.TRACES, Encoding.PROTOBUF, False, body)))]
    found = assert_same(steps, engines())
    named = {key.dst for key in found.relations}
    assert {key for span in SPANS.values() for key in (*span.models, *span.prompts)} <= named
