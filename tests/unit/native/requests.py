"""Requests of all sorts: sound ones, damaged ones, and bytes made to mislead a reader."""

from __future__ import annotations

from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from tests.unit.otlp.wire import START_NS, key_values, wire_span
from whence.otlp.vocabulary import RESOURCE_KEYS, SPAN_KEYS, SPAN_RENAMES

MILLISECOND_NS = 1_000_000
_KEYS = sorted({*SPAN_KEYS, *SPAN_RENAMES, "url.full", "http.url", "url.path", "thread.id"})
_REFS = ("ml://#fraud@version:7", "s3://lake#a@iceberg:1", "kafka://b:9092#t", "not a ref", "otel://shop#cart")
_URLS = (
    "http://host/path?secret=1",
    "https://Host:99",
    "grpc://[::1]:50/x",
    "wss://u:p@h",
    "ftp://host/x",
    "http://",
    "HTTP://host",
    "http://h\tx",
    "http://h\x0bx",
    "http://" + "h" * 200 + "/x",
)
_TEXTS = (
    "",
    "GET",
    "SELECT",
    "/route/{id}",
    "postgresql",
    "kafka",
    "send",
    "process",
    "orders",
    "8080",
    "true",
    *_REFS,
)
_VALUES = st.one_of(
    st.sampled_from((*_TEXTS, *_URLS)),
    st.text(max_size=12),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    st.binary(max_size=4),
    st.lists(st.sampled_from(_REFS), max_size=3),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), max_size=2),
    st.none(),
)
_ATTRIBUTES = st.dictionaries(st.one_of(st.sampled_from(_KEYS), st.text(max_size=6)), _VALUES, max_size=5)
_TRACE_STATES = ("", "ot=th:8", "x=1,ot=rv:1;th:c", "ot=th:0", "ot=th:ffffffffffffff", "vendor=th:8", "\u00fc")
_FLAG = {"feature_flag.key": "new-cart", "feature_flag.result.variant": "on"}
_EVENTS = (
    ("exception", {"exception.type": "ValueError"}),
    ("feature_flag.evaluation", _FLAG),
    ("feature_flag", {"feature_flag.key": "k", "feature_flag.variant": "off", "feature_flag.provider_name": "p"}),
    ("other", _FLAG),
)


@st.composite
def spans(draw: st.DrawFn) -> WireSpan:
    """One span, nearly always one that can be used."""
    start_ns = START_NS + draw(st.sampled_from([0, 5, 14_990, 15_010])) * MILLISECOND_NS
    span = wire_span(
        draw(st.sampled_from(["GET /", "SELECT orders", "db.insert x", "\u00fc" * 150, ""])),
        draw(_ATTRIBUTES),
        trace_id=draw(st.sampled_from([bytes([n]) * 16 for n in (1, 2, 3)] + [b"", bytes(16), b"t"])),
        span_id=draw(st.sampled_from([bytes([n]) * 8 for n in range(1, 6)] * 4 + [b"", bytes(8), b"s"])),
        parent_span_id=draw(st.sampled_from([bytes([n]) * 8 for n in range(6)] + [b"", b"p"])),
        kind=draw(st.sampled_from([0, 1, 2, 3, 4, 5, 5, 77])),
        start_time_unix_nano=draw(st.sampled_from([start_ns, start_ns, start_ns, 0, 2**63, 2**64 - 1, 1])),
        end_time_unix_nano=start_ns + draw(st.sampled_from([0, 3, 5, -3, -2_000])) * MILLISECOND_NS,
        trace_state=draw(st.sampled_from(_TRACE_STATES)),
    )
    span.status.code = draw(st.sampled_from([0, 1, 2]))  # type: ignore[assignment]
    span.status.message = draw(st.sampled_from(["", "m" * 9]))
    for name, attributes in draw(st.lists(st.sampled_from(_EVENTS), max_size=2)):
        span.events.add(name=name, time_unix_nano=start_ns).attributes.extend(key_values(attributes))
    for length in draw(st.lists(st.sampled_from([8, 8, 7]), max_size=2)):
        span.links.add(trace_id=b"l" * 16, span_id=b"l" * length)
    return span


@st.composite
def requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    """A few resources with a few spans each."""
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 3))):
        block = request.resource_spans.add()
        names = st.sampled_from(["cart", "web", "", "unknown_service:x"])
        resource = {"service.name": draw(names), "service.version": draw(st.sampled_from(["v1", "main", ""]))}
        extra = st.dictionaries(st.sampled_from(sorted(RESOURCE_KEYS)), st.sampled_from((*_TEXTS, *_URLS)), max_size=3)
        block.resource.attributes.extend(key_values({**resource, **draw(extra)}))
        for _ in range(draw(st.integers(0, 2))):
            block.scope_spans.add(schema_url="https://schema").spans.extend(draw(st.lists(spans(), max_size=4)))
    return request


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound request with a few bytes changed, cut out, or put in."""
    body = bytearray(draw(requests()).SerializeToString())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        match draw(st.sampled_from(["change", "change", "cut", "insert", "end"])):
            case "change" if at < len(body):
                body[at] = draw(st.one_of(st.sampled_from([0, 0x7F, 0x80, 0xFF, body[at] ^ 1]), st.integers(0, 255)))
            case "cut":
                del body[at : at + draw(st.integers(1, 5))]
            case "insert":
                body[at:at] = draw(st.binary(min_size=1, max_size=5))
            case "end":
                del body[at:]
    return bytes(body)


def varint(number: int, *, padding: int = 0) -> bytes:
    """A number as protobuf writes it; with padding, longer than need be."""
    parts = []
    while number > 0x7F or padding:
        padding -= number <= 0x7F
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


@st.composite
def odd_fields(draw: st.DrawFn, inside: st.SearchStrategy[bytes]) -> bytes:
    """A message of fields with any number and wire type, some of them true to the schema."""
    fields = b""
    for _ in range(draw(st.integers(0, 6))):
        number = draw(st.sampled_from([*range(17), 99, 2**29 - 1]))
        wire_type = draw(st.sampled_from([0, 1, 2, 2, 2, 2, 3, 4, 5, 6, 7]))
        padding = draw(st.sampled_from([0] * 12 + [1, 2, 5]))
        fields += varint(number << 3 | wire_type, padding=padding)
        fields += draw(_payload(wire_type, inside))
    return fields


def _payload(wire_type: int, inside: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    numbers = st.builds(
        varint, st.sampled_from([0, 1, 2, 5, 2**31, 2**32 + 2, 2**64 - 1]), padding=st.sampled_from([0, 0, 1, 9])
    )
    wanted = st.sampled_from([b"t" * 16, b"s" * 8, b"feature_flag", b""])
    framed = st.one_of(inside, wanted).map(lambda data: varint(len(data)) + data)
    by_type = {0: numbers, 1: st.just((START_NS).to_bytes(8, "little")), 2: framed, 5: st.just(b"four")}
    return by_type.get(wire_type, st.just(b""))


hostile = odd_fields(odd_fields(odd_fields(odd_fields(odd_fields(st.binary(max_size=6))))))
"""Messages in messages as deep as a request's, with anything at any level."""
