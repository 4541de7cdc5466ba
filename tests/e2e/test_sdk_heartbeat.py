"""The heartbeat through real exporters: the same edges whatever is sampled, from parents and their children."""

from pathlib import Path

import pytest

from tests.e2e.sdk_host import REQUESTS, Capture, Edges, capture, edges, execute

__all__ = ["capture"]


def told(capture: Capture, directory: Path, code: str, **environ: str) -> Edges:
    """What the receiver knows after an application ran."""
    capture.bodies.clear()
    execute(
        code,
        directory,
        OTEL_EXPORTER_OTLP_ENDPOINT=capture.url,
        OTEL_SERVICE_NAME="scoring",
        OTEL_RESOURCE_ATTRIBUTES="service.namespace=risk,service.version=7",
        WHENCE_HEARTBEAT_SECONDS="60",
        **environ,
    )
    return edges(capture)


def test_edges_are_the_same_whatever_share_of_spans_is_sampled(capture: Capture, tmp_path: Path) -> None:
    sampler = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}
    everything = told(capture, tmp_path, REQUESTS, **sampler, OTEL_TRACES_SAMPLER_ARG="1.0")
    spans = len(capture.spans())
    almost_nothing = told(capture, tmp_path, REQUESTS, **sampler, OTEL_TRACES_SAMPLER_ARG="0.01")
    assert (spans, len(capture.spans()) < 20) == (200, True)
    assert almost_nothing == everything
    service = "otel://risk#scoring@version:7"
    used = {(relation, far) for near, relation, far in everything if near == service}
    assert {far for relation, far in used if relation == "READS"} == {
        f"s3://lake#features@iceberg:{n}" for n in range(11)
    }
    assert {far for relation, far in used if relation == "USES_MODEL"} == {
        f"file#shop/ranker@version:v{n}" for n in range(7)
    }
    assert ("file#shop/answers@version:1", "PRODUCED_BY", service) in everything


def test_heartbeat_goes_through_the_logs_pipeline_that_the_application_has(capture: Capture, tmp_path: Path) -> None:
    code = """
import whence
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
exporter, provider = InMemoryLogRecordExporter(), LoggerProvider()
provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
set_logger_provider(provider)
whence.configure()
whence.reads("file#a")
from whence.sdk import leaving
leaving.leave()
print([one.log_record.event_name for one in exporter.get_finished_logs()])
"""
    printed = execute(code, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=capture.url, WHENCE_HEARTBEAT_SECONDS="60")
    assert printed == "['entity.state']\n"
    assert edges(capture) == set()


CHILD = """
import multiprocessing, sys
import whence

def work():
    import whence
    whence.configure()
    whence.reads("file#child@version:1")
    from whence.sdk import leaving
    leaving.leave()

if __name__ == "__main__":
    whence.configure()
    whence.reads("file#parent@version:1")
    child = multiprocessing.get_context("METHOD").Process(target=work)
    child.start()
    child.join(30)
    print(child.exitcode)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_child_process_reports_its_own_edges_however_it_starts(capture: Capture, tmp_path: Path, method: str) -> None:
    (tmp_path / "application.py").write_text(CHILD.replace("METHOD", method))
    found = told(capture, tmp_path, "import runpy; runpy.run_path('application.py', run_name='__main__')")
    service = "otel://risk#scoring@version:7"
    assert {(service, "READS", f"file#{who}@version:1") for who in ("parent", "child")} <= found


@pytest.mark.parametrize("variables", [{"OTEL_LOGS_EXPORTER": "none"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_heartbeat_is_off_where_a_variable_says_so(capture: Capture, tmp_path: Path, variables: dict[str, str]) -> None:
    assert told(capture, tmp_path, REQUESTS, **variables) == set()


CALLER = """
import whence
from opentelemetry import propagate, trace
whence.configure()
carrier = {}
with trace.get_tracer("app").start_as_current_span("request"):
    propagate.inject(carrier)
print(carrier)
"""

CALLEE = """
import whence
from opentelemetry import propagate
whence.configure()
propagate.extract(CARRIER)
"""


@pytest.mark.parametrize("order", [1, -1], ids=["caller first", "callee first"])
def test_caller_is_known_though_no_span_is_sampled(capture: Capture, tmp_path: Path, order: int) -> None:
    unsampled = {"OTEL_EXPORTER_OTLP_ENDPOINT": capture.url, "OTEL_TRACES_SAMPLER": "always_off"}
    stated = {**unsampled, "WHENCE_HEARTBEAT_SECONDS": "60", "OTEL_RESOURCE_ATTRIBUTES": "service.version=7"}
    carrier = execute(CALLER, tmp_path, OTEL_SERVICE_NAME="shop", **stated)
    execute(CALLEE.replace("CARRIER", carrier), tmp_path, OTEL_SERVICE_NAME="pay", **stated)
    capture.bodies[::order] = list(capture.bodies)
    assert ("otel://#shop@version:7", "CALLS", "otel://#pay@version:7") in edges(capture)
    assert capture.spans() == []
