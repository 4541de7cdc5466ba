from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.bench.replay.incidents import Candidate, Incident, LineageEdge, SpanRow, Telemetry, Truth, span_kinds
from tests.bench.replay.lineage import models_served, reference
from tests.bench.replay.otlp import BATCH, trace_requests
from tests.bench.replay.redraw import redraw
from whence.model import names

TRACE = b"t" * 16


def span(span_id: int, parent_id: int, service: str, start_ns: int = 0) -> SpanRow:
    parent = parent_id.to_bytes(8) if parent_id else b""
    return SpanRow(TRACE, span_id.to_bytes(8), parent, service, f"{service}-1", "op", start_ns, 10)


SHOP = [span(1, 0, "shop"), span(2, 1, "shop"), span(3, 2, "pay", 5)]
INCIDENT = Incident(
    case_id="one",
    group="test",
    entry="shop",
    detected_ns=100_000_000_000,
    candidates=(
        Candidate("a", "model", "model:m", 90_000_000_000, "v1", "v2"),
        Candidate("b", "deploy", "pay", 80_000_000_000, None, "v3"),
    ),
    lineage=(LineageEdge("dataset:d", "trained_into", "model:m"), LineageEdge("model:m", "served_by", "pay")),
    truth=Truth("a", "pay", "return"),
)


def parsed(bodies: list[bytes]) -> list[ExportTraceServiceRequest]:
    return [ExportTraceServiceRequest.FromString(body) for body in bodies]


def spans_by_service(request: ExportTraceServiceRequest) -> dict[str, list[Span]]:
    return {
        resource_spans.resource.attributes[0].value.string_value: list(resource_spans.scope_spans[0].spans)
        for resource_spans in request.resource_spans
    }


def test_span_kinds_follow_who_calls_whom() -> None:
    assert span_kinds(SHOP) == [Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER]


def test_span_kind_within_one_service_is_internal() -> None:
    assert span_kinds([span(1, 0, "shop"), span(2, 1, "shop")])[1] == Span.SPAN_KIND_INTERNAL


def test_trace_requests_keep_every_span_and_cut_at_the_batch() -> None:
    many = [span(number, 0, "shop", number) for number in range(1, BATCH + 2)]
    sizes = [len(spans_by_service(request)["shop"]) for request in parsed(list(trace_requests(many, {})))]
    assert sizes == [BATCH, 1]


def test_trace_request_mixes_services_and_names_models_on_server_spans_only() -> None:
    models = models_served(INCIDENT)
    (request,) = parsed(list(trace_requests(SHOP, models)))
    by_service = spans_by_service(request)
    assert [len(by_service["shop"]), len(by_service["pay"])] == [2, 1]
    (attribute,) = by_service["pay"][0].attributes
    assert attribute.key == names.MODELS
    assert [value.string_value for value in attribute.value.array_value.values] == [reference("model:m")]
    assert not any(one.attributes for one in by_service["shop"])


def test_redraw_same_seed_gives_same_draw_and_another_seed_another() -> None:
    telemetry = Telemetry(SHOP, [])
    assert redraw(INCIDENT, telemetry, 1) == redraw(INCIDENT, telemetry, 1)
    assert redraw(INCIDENT, telemetry, 1)[0].entry != redraw(INCIDENT, telemetry, 2)[0].entry


def test_redraw_keeps_structure_and_distances_in_time() -> None:
    moved, telemetry, published = redraw(INCIDENT, Telemetry(SHOP, []), 1)
    assert span_kinds(telemetry.spans) == span_kinds(SHOP)
    shift_ns = moved.detected_ns - INCIDENT.detected_ns
    assert [one.start_ns - shift_ns for one in telemetry.spans] == [one.start_ns for one in SHOP]
    assert [one.at_ns - shift_ns for one in moved.candidates] == [one.at_ns for one in INCIDENT.candidates]
    assert [published[one.change_id] for one in moved.candidates] == ["a", "b"]
    assert published[moved.truth.change_id or ""] == "a"
    assert moved.lineage[1].target == moved.candidates[1].node == moved.truth.service == telemetry.spans[2].service


def test_redraw_leaves_no_published_name_or_id() -> None:
    moved, telemetry, _ = redraw(INCIDENT, Telemetry(SHOP, []), 1)
    text = f"{moved}"
    assert not any(name in text for name in ("shop", "pay", "'a'", "'b'", "model:m'", "dataset:d'"))
    old_ids = {TRACE} | {one.span_id for one in SHOP}
    assert old_ids.isdisjoint({one.trace_id for one in telemetry.spans} | {one.span_id for one in telemetry.spans})
