import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, Tracer

import whence
from whence.model.names import OUTCOME_BAD, OUTCOME_REASON, OUTPUTS


def test_outcome_bad_with_reason_marks_current_span(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    with tracer.start_as_current_span("request"):
        whence.outcome(bad=True, reason="no candidates")
    (span,) = spans.get_finished_spans()
    assert dict(span.attributes or {}) == {OUTCOME_BAD: True, OUTCOME_REASON: "no candidates"}


def test_outcome_long_reason_is_cut(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    with tracer.start_as_current_span("request"):
        whence.outcome(bad=True, reason="x" * 1000)
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})[OUTCOME_REASON] == "x" * 128


def test_outcome_as_decorator_of_a_fallback_judges_who_calls_it(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    @whence.outcome(bad=True, reason="fallback")
    def popular() -> list[str]:
        return ["socks"]

    with tracer.start_as_current_span("good"):
        pass
    with tracer.start_as_current_span("poor"):
        assert popular() == ["socks"]
    found = {span.name: dict(span.attributes or {}) for span in spans.get_finished_spans()}
    assert found == {"good": {}, "poor": {OUTCOME_BAD: True, OUTCOME_REASON: "fallback"}}


def test_outcome_as_context_manager_lets_the_hosts_exception_through() -> None:
    with pytest.raises(KeyError), whence.outcome(bad=True):
        raise KeyError


def test_run_inside_a_span_is_a_root_of_its_own(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    with tracer.start_as_current_span("scheduler"), whence.run("train-ranker"):
        whence.writes("file#shop/ranker@version:v42")
    job, scheduler = spans.get_finished_spans()
    assert (job.name, job.parent) == ("train-ranker", None)
    assert dict(job.attributes or {}) == {OUTPUTS: ("file#shop/ranker@version:v42",)}
    assert dict(scheduler.attributes or {}) == {}


def test_run_as_decorator_makes_one_trace_for_each_call(spans: InMemorySpanExporter) -> None:
    @whence.run("refresh")
    def refresh() -> str:
        return "done"

    assert refresh() == refresh() == "done"
    assert len({span.context.trace_id for span in spans.get_finished_spans() if span.context}) == 2


def test_run_that_fails_is_marked_and_raises(spans: InMemorySpanExporter) -> None:
    with pytest.raises(KeyError), whence.run("train-ranker"):
        raise KeyError("recency")
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
