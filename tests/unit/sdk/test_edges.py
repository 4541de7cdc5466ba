"""What the heartbeat says, and what requests carry along."""

from collections.abc import Iterator

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer, TraceState, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import whence
from whence.model.names import INPUTS, MODELS
from whence.sdk import edges
from whence.sdk.callers import CallerPropagator
from whence.sdk.edges import CALLERS, Edge, edge_to, used
from whence.sdk.entity_state import entity_state, short_id
from whence.sdk.guard import losses

RESOURCE = {
    "service.namespace": "risk",
    "service.name": "scoring",
    "service.instance.id": "88ba",
    "service.version": "7",
}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No edges before and after."""
    edges._forget()
    yield
    edges._forget()


def used_edge(attribute: str, ref: str, count: int = 1) -> Edge:
    edge = Edge(attribute, ref)
    edge.count = count
    return edge


def test_entity_state_lists_each_use_with_its_count_busiest_first() -> None:
    state = entity_state(RESOURCE, [used_edge(INPUTS, "file#a"), used_edge(MODELS, "file#m", 3)], interval_seconds=60)
    assert state["entity.id"] == {
        "service.namespace": "risk",
        "service.name": "scoring",
        "service.instance.id": "88ba",
    }
    assert [
        (one["relationship.type"], one["entity.id"], one["whence.count"]) for one in state["entity.relationships"]
    ] == [
        ("uses_model", {"whence.model.ref": "file#m"}, 3),
        ("reads", {"whence.dataset.ref": "file#a"}, 1),
    ]


def test_entity_state_beyond_its_bound_tells_the_busiest_and_counts_the_rest() -> None:
    many = [used_edge(INPUTS, f"file#{number}", number) for number in range(1, 604)]
    state = entity_state(RESOURCE, many, interval_seconds=60)
    assert len(state["entity.relationships"]) == 500
    assert state["entity.relationships"][0]["whence.count"] == 603
    assert state["entity.description"]["whence.truncated"] == 103


def test_short_id_is_that_of_the_version_and_not_of_the_instance() -> None:
    assert short_id(RESOURCE) == short_id({**RESOURCE, "service.instance.id": "other"})
    assert short_id(RESOURCE) != short_id({**RESOURCE, "service.version": "8"})


@pytest.mark.usefixtures("production")
def test_table_of_edges_is_bounded_and_counts_what_it_leaves_out() -> None:
    before = losses().get("a reference that the table of edges has no room for", 0)
    for number in range(edges.MAX_EDGES + 5):
        whence.reads(f"file#bounded/{number}")
    assert len(list(used())) == edges.MAX_EDGES
    assert losses()["a reference that the table of edges has no room for"] == before + 5


def test_strangers_can_fill_only_a_small_table_and_wake_nobody() -> None:
    woken: list[int] = []
    edges.on_first_use(lambda: woken.append(1))
    for number in range(edges.MAX_CALLERS + 5):
        edge_to(CALLERS, f"{number:08x}").use()
    edges._listeners.pop()
    assert (len(list(used())), woken) == (edges.MAX_CALLERS, [])


OWN_ID = "0a1b2c3d"
PROPAGATOR = CallerPropagator(TraceContextTextMapPropagator(), lambda: OWN_ID)


def callers() -> dict[str, int]:
    return {edge.ref: edge.count for edge in used() if edge.attribute == CALLERS}


@pytest.mark.parametrize("flags", [TraceFlags.DEFAULT, TraceFlags.SAMPLED])
def test_direct_caller_is_counted_sampled_or_not(flags: int) -> None:
    span = SpanContext(
        0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(flags), trace_state=TraceState([("ot", "th:8")])
    )
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier, set_span_in_context(NonRecordingSpan(span)))
    assert carrier["tracestate"] == f"whence={OWN_ID}:0000000000000def,ot=th:8"
    PROPAGATOR.extract(carrier)
    assert callers() == {OWN_ID: 1}


def test_caller_behind_somebody_without_whence_is_no_direct_caller() -> None:
    carrier = {
        "traceparent": f"00-{0xABC:032x}-{0x123:016x}-01",
        "tracestate": f"whence={OWN_ID}:{0xDEF:016x}",
    }
    PROPAGATOR.extract(carrier)
    assert callers() == {}


@pytest.mark.parametrize("member", ["whence=zz:1", "whence=", "whence=0a1b2c3d", "whence=0a1b2c3d:1;drop"])
def test_member_of_another_shape_is_not_looked_at(member: str) -> None:
    PROPAGATOR.extract({"traceparent": f"00-{0xABC:032x}-{0xDEF:016x}-01", "tracestate": member})
    assert callers() == {}


def test_injecting_leaves_the_applications_span_as_it_is(tracer: Tracer) -> None:
    carrier: dict[str, str] = {}
    with tracer.start_as_current_span("request") as span:
        PROPAGATOR.inject(carrier)
        assert "whence" not in span.get_span_context().trace_state
    assert f"{span.get_span_context().span_id:016x}" in carrier["tracestate"]


def test_injecting_without_a_span_adds_nothing() -> None:
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier)
    assert carrier == {}
