"""Seeded OTLP requests of a made-up shop: 30 services in 3 versions on 3 instances each, calls at most 6 deep.

Every span carries exactly 12 attributes, of which some never repeat (URLs, ports, user agents). Each instance exports
on its own, so the parent of a span is nearly always in another request and often arrives later.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SERVICES, VERSIONS, INSTANCES, MAX_DEPTH = 30, 3, 3, 6
SPANS_PER_REQUEST, SPANS_PER_BLOCK, ATTRIBUTES = 500, 20, 12
SPANS_PER_SECOND = 60_000
START_NS = 1_795_000_000_000_000_000
TRACE_MARK = b"\xf0\xe1trace\xff"
"""First half of every trace id, so that a body can be made to hold other traces by replacing it."""
INTERNAL, SERVER, CLIENT, PRODUCER = 1, 2, 3, 4

Where = tuple[int, int, int]
"""Service, version, instance."""


class Request(NamedTuple):
    """One export request."""

    body: bytes
    spans: int


def requests(seed: int, spans: int, spans_per_request: int = SPANS_PER_REQUEST) -> Iterator[Request]:
    """About ``spans`` spans in requests of about ``spans_per_request``."""
    dice = random.Random(seed)
    queues: dict[Where, list[Span]] = {}
    blocks: list[tuple[Where, list[Span]]] = []
    made = 0
    while made < spans:
        start_ns = START_NS + made * 1_000_000_000 // SPANS_PER_SECOND
        for where, span in _trace(dice, start_ns):
            made += 1
            queue = queues.setdefault(where, [])
            queue.append(span)
            if len(queue) == SPANS_PER_BLOCK:
                blocks.append((where, queues.pop(where)))
        if len(blocks) * SPANS_PER_BLOCK >= spans_per_request:
            yield _request(blocks)
            blocks = []
    yield _request([*blocks, *queues.items()])


def _request(blocks: list[tuple[Where, list[Span]]]) -> Request:
    request = ExportTraceServiceRequest()
    for where, spans in blocks:
        block = request.resource_spans.add()
        block.resource.attributes.extend(_resource(where))
        block.scope_spans.add(schema_url="https://opentelemetry.io/schemas/1.44.0").spans.extend(spans)
    return Request(request.SerializeToString(), sum(len(spans) for _, spans in blocks))


def _resource(where: Where) -> list[KeyValue]:
    service, version, instance = where
    return [
        _text("service.name", f"service-{service:02}"),
        _text("service.namespace", "shop"),
        _text("service.version", f"1.{version}.0"),
        _text("service.instance.id", f"{service:08x}-{version}-{instance}"),
        _text("deployment.environment.name", "production"),
        _text("vcs.ref.head.revision", hashlib.sha1(f"{service}/{version}".encode()).hexdigest()),
        _text("telemetry.sdk.language", "python"),
        _text("telemetry.sdk.name", "opentelemetry"),
        _text("k8s.pod.name", f"service-{service:02}-{version}-{instance}"),
    ]


def _trace(dice: random.Random, start_ns: int) -> list[tuple[Where, Span]]:
    trace_id, spans = TRACE_MARK + dice.randbytes(8), list[tuple[Where, Span]]()
    _serve(dice, spans, (dice.randrange(3), trace_id, b"", start_ns, 1))
    dice.shuffle(spans)
    return spans


def _serve(dice: random.Random, spans: list[tuple[Where, Span]], call: tuple[int, bytes, bytes, int, int]) -> int:
    """One request into a service and all that follows from it; returns when it ends."""
    service, trace_id, parent_id, start_ns, depth = call
    where = (service, dice.choices(range(VERSIONS), (6, 3, 1))[0], dice.randrange(INSTANCES))
    is_error = dice.random() < 0.02
    server = _span(trace_id, parent_id, SERVER, f"GET /route-{service}", start_ns)
    server.span_id = dice.randbytes(8)
    now = start_ns + dice.randrange(100_000, 1_000_000)
    for callee in _callees(dice, service) if depth < MAX_DEPTH else ():
        client = _span(trace_id, server.span_id, CLIENT, "GET", now)
        client.span_id = dice.randbytes(8)
        now = _serve(dice, spans, (callee, trace_id, client.span_id, now + 200_000, depth + 1)) + 200_000
        _finish(dice, client, now, _http_client(dice, callee), is_error=is_error)
        spans.append((where, client))
    for attributes, kind, name in _leaves(dice, service):
        leaf = _span(trace_id, server.span_id, kind, name, now)
        leaf.span_id = dice.randbytes(8)
        now += dice.randrange(50_000, 3_000_000)
        _finish(dice, leaf, now, attributes, is_error=False)
        spans.append((where, leaf))
    now += dice.randrange(100_000, 2_000_000)
    _finish(dice, server, now, _http_server(dice, service), is_error=is_error)
    spans.append((where, server))
    return now


def _callees(dice: random.Random, service: int) -> list[int]:
    """A fixed graph without cycles: services call those numbered higher."""
    higher = [service * 2 + 3, service * 2 + 4, service + 7]
    return [callee for callee in higher if callee < SERVICES and dice.random() < 0.35]


def _leaves(dice: random.Random, service: int) -> list[tuple[list[KeyValue], int, str]]:
    leaves = [(_database(dice, service), CLIENT, "SELECT orders")]
    if service % 3 == 0:
        leaves.append((_model(dice, service), INTERNAL, "predict"))
    if dice.random() < 0.3:
        leaves.append((_producer(dice), PRODUCER, "publish events"))
    if dice.random() < 0.3:
        leaves.append((_filled(dice, [_text("code.function.name", "shop.render")]), INTERNAL, "render"))
    return leaves


def _span(trace_id: bytes, parent_id: bytes, kind: int, name: str, start_ns: int) -> Span:
    return Span(
        trace_id=trace_id,
        parent_span_id=parent_id,
        kind=kind,  # type: ignore[arg-type]
        name=name,
        start_time_unix_nano=start_ns,
        flags=257,
    )


def _finish(dice: random.Random, span: Span, end_ns: int, attributes: list[KeyValue], *, is_error: bool) -> None:
    span.end_time_unix_nano = end_ns
    span.attributes.extend(attributes)
    if is_error:
        span.status.code = 2  # type: ignore[assignment]
        exception = span.events.add(name="exception", time_unix_nano=end_ns)
        exception.attributes.extend([_text("exception.type", "ValueError"), _text("exception.stacktrace", "at " * 200)])
    elif dice.random() < 0.03:
        span.events.add(name="message", time_unix_nano=end_ns)


def _http_server(dice: random.Random, service: int) -> list[KeyValue]:
    return _filled(
        dice,
        [
            _text("http.request.method", "GET"),
            _text("http.route", f"/route-{service}/{{id}}"),
            _text("url.path", f"/route-{service}/{dice.randrange(1_000_000)}"),
            _text("url.scheme", "http"),
            _text("server.address", f"service-{service:02}"),
            _number("server.port", 8080),
            _number("http.response.status_code", 200),
            _text("client.address", f"10.0.{dice.randrange(4)}.{dice.randrange(250)}"),
            _number("client.port", dice.randrange(32_768, 61_000)),
            _text("user_agent.original", "python-httpx/0.28.1"),
        ],
    )


def _http_client(dice: random.Random, callee: int) -> list[KeyValue]:
    return _filled(
        dice,
        [
            _text("http.request.method", "GET"),
            _text("url.full", f"http://service-{callee:02}:8080/route-{callee}/{dice.randrange(1_000_000)}"),
            _text("server.address", f"service-{callee:02}"),
            _number("server.port", 8080),
            _number("http.response.status_code", 200),
            _text("network.peer.address", f"10.1.{callee}.7"),
            _number("network.peer.port", 8080),
            _text("network.protocol.version", "1.1"),
        ],
    )


def _database(dice: random.Random, service: int) -> list[KeyValue]:
    return _filled(
        dice,
        [
            _text("db.system.name", "postgresql"),
            _text("db.namespace", f"shop|public-{service % 5}"),
            _text("db.collection.name", f"orders_{service % 4}"),
            _text("db.operation.name", dice.choices(("SELECT", "INSERT"), (9, 1))[0]),
            _text("db.query.text", "select * from orders where id = %s"),
            _text("server.address", "db.shop.internal"),
            _number("server.port", 5432),
        ],
    )


def _model(dice: random.Random, service: int) -> list[KeyValue]:
    return _filled(
        dice,
        [
            _texts(
                "whence.models", [f"mlflow+https://mlflow.shop.dev#ranker-{service}@version:{dice.randrange(2) + 6}"]
            ),
            _texts(
                "whence.inputs", [f"s3://lake#features/{service}@iceberg:{3055729675574597004 + dice.randrange(2)}"]
            ),
        ],
    )


def _producer(dice: random.Random) -> list[KeyValue]:
    return _filled(
        dice,
        [
            _text("messaging.system", "kafka"),
            _text("messaging.destination.name", "events"),
            _text("messaging.operation.type", "send"),
            _number("messaging.kafka.offset", dice.randrange(10_000_000)),
            _text("server.address", "kafka"),
            _number("server.port", 9092),
        ],
    )


def _filled(dice: random.Random, attributes: list[KeyValue]) -> list[KeyValue]:
    """Twelve attributes: what is missing is what SDKs add to every span."""
    common = [
        _number("thread.id", 140_000_000_000_000 + dice.randrange(16)),
        _text("thread.name", f"worker-{dice.randrange(16)}"),
        _text("code.file.path", "/srv/shop/app.py"),
        _text("code.function.name", "shop.app.handle"),
        _number("code.line.number", 120),
        _text("network.transport", "tcp"),
        _text("enduser.tier", dice.choice(("free", "paid"))),
        _text("shop.region", "eu-west-1"),
        _text("shop.tenant", f"tenant-{dice.randrange(50)}"),
        _text("shop.request", f"{dice.getrandbits(64):016x}"),
        _text("shop.cell", "a"),
    ]
    return [*attributes, *common][:ATTRIBUTES]


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _number(key: str, value: int) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(int_value=value))


def _texts(key: str, values: list[str]) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=v) for v in values])))
