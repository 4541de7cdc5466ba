"""The SDK in processes of its own, exporting over real HTTP to a server that only writes down what comes."""

import json
import sys
from pathlib import Path

import pytest

from tests.e2e.sdk_host import Capture, capture, execute, installed

__all__ = ["capture", "installed"]

SHA = "9d59409acf479dfa0df1aa568182e43e43df8bbe"

APPLICATION = """
import whence
whence.configure()
with whence.run("train-ranker"):
    whence.reads("file#shop/clicks@version:c4")
"""


def test_configure_without_provider_exports_as_otel_variables_say(capture: Capture, tmp_path: Path) -> None:
    execute(
        APPLICATION,
        tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=capture.url,
        OTEL_SERVICE_NAME="trainer",
        OTEL_RESOURCE_ATTRIBUTES="service.version=v7,service.namespace=shop",
    )
    ((resource, name, lists),) = capture.spans()
    assert (name, lists["whence.inputs"]) == ("train-ranker", ["file#shop/clicks@version:c4"])
    assert {
        "service.name": "trainer",
        "service.namespace": "shop",
        "service.version": "v7",
        "telemetry.distro.name": "whence",
        "whence.contract.version": "0.1",
    }.items() <= resource.items()


def test_configure_arguments_win_over_variables(capture: Capture, tmp_path: Path) -> None:
    code = APPLICATION.replace("configure()", "configure(service_name='a', service_version='1', environment='test')")
    execute(code, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=capture.url, OTEL_SERVICE_NAME="b")
    ((resource, _, _),) = capture.spans()
    assert {"service.name": "a", "service.version": "1", "deployment.environment.name": "test"}.items() <= (
        resource.items()
    )


def test_configure_on_the_applications_provider_adds_tags_and_no_exporter(capture: Capture, tmp_path: Path) -> None:
    code = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import whence
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
whence.configure()
whence.configure()
with whence.reads("file#a"):
    trace.get_tracer("app").start_span("work").end()
assert trace.get_tracer_provider() is provider
print([dict(span.attributes) for span in exporter.get_finished_spans()])
"""
    printed = execute(code, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=capture.url)
    assert printed == "[{'whence.inputs': ('file#a',)}]\n"
    assert capture.bodies == []


@pytest.mark.parametrize("variables", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_configure_switched_off_by_variable_sends_nothing(
    capture: Capture, tmp_path: Path, variables: dict[str, str]
) -> None:
    execute(APPLICATION, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=capture.url, **variables)
    assert capture.bodies == []


def test_application_whose_server_is_away_ends_as_usual(tmp_path: Path) -> None:
    code = APPLICATION + "\nwhence.change('otel://shop#ranker', kind='deployment')\nprint('done')"
    away = "http://127.0.0.1:9"
    assert execute(code, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=away, WHENCE_URL=away) == "done\n"


CHANGE = """
import whence
print(whence.change("otel://shop#ranker", kind="deployment", from_="v40", to="v41", id="dep-812", summary=None))
"""


def test_change_from_a_script_that_ends_at_once_arrives(capture: Capture, tmp_path: Path) -> None:
    assert execute(CHANGE, tmp_path, WHENCE_URL=capture.url) == "dep-812\n"
    ((path, body),) = capture.bodies
    change = json.loads(body)
    assert (path, change.pop("effective_at")[:2]) == ("/api/v1/changes", "20")
    assert change == {
        "id": "dep-812",
        "kind": "deployment",
        "subject": "otel://shop#ranker",
        "from": "v40",
        "to": "v41",
    }


def test_change_refused_for_now_is_sent_again(capture: Capture, tmp_path: Path) -> None:
    capture.refusals.append(503)
    execute(CHANGE, tmp_path, WHENCE_URL=capture.url)
    assert [json.loads(body)["id"] for _, body in capture.bodies] == ["dep-812", "dep-812"]


def test_change_refused_for_good_is_counted_and_not_repeated(capture: Capture, tmp_path: Path) -> None:
    capture.refusals.append(422)
    code = CHANGE + "\nfrom whence.sdk import guard, leaving\nleaving.leave()\nprint(sum(guard.losses().values()))"
    assert execute(code, tmp_path, WHENCE_URL=capture.url) == "dep-812\n1\n"
    assert len(capture.bodies) == 1


def test_change_in_a_forked_child_arrives_too(capture: Capture, tmp_path: Path) -> None:
    code = """
import os, whence
from whence.sdk import leaving
whence.change("otel://shop#a", kind="config", id="parent")
if os.fork() == 0:
    whence.change("otel://shop#a", kind="config", id="child")
    leaving.leave()
    os._exit(0)
os.wait()
"""
    execute(code, tmp_path, WHENCE_URL=capture.url)
    assert {json.loads(body)["id"] for _, body in capture.bodies} == {"parent", "child"}


def test_change_with_unknown_detail_is_harmless_in_production(capture: Capture, tmp_path: Path) -> None:
    code = "import whence\nprint(whence.change('otel://shop#a', kind='config', colour='red'))"
    assert execute(code, tmp_path, WHENCE_URL=capture.url) == "None\n"
    assert capture.bodies == []


def test_zero_code_instrumentation_configures_whence(capture: Capture, tmp_path: Path, installed: str) -> None:
    code = f"""
import sys
from opentelemetry.instrumentation.auto_instrumentation import run
application = "import whence" + chr(10) + "with whence.run('train-ranker'): whence.reads('file#shop/clicks@opaque:c4')"
sys.argv = ["opentelemetry-instrument", {sys.executable!r}, "-c", application]
run()
"""
    execute(
        code,
        tmp_path,
        PYTHONPATH=installed,
        OTEL_EXPORTER_OTLP_ENDPOINT=capture.url,
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_SERVICE_NAME="trainer",
        GITHUB_SHA=SHA,
    )
    ((resource, name, lists),) = capture.spans()
    assert (resource["service.name"], name) == ("trainer", "train-ranker")
    assert resource["vcs.ref.head.revision"] == SHA
    assert lists["whence.inputs"] == ["file#shop/clicks@opaque:c4"]


def test_detector_named_in_variable_fills_the_resource_of_any_provider(tmp_path: Path, installed: str) -> None:
    code = """
from opentelemetry.sdk.trace import TracerProvider
found = TracerProvider().resource.attributes
print(found["vcs.ref.head.revision"], found["telemetry.distro.name"], found["service.name"])
"""
    printed = execute(
        code,
        tmp_path,
        PYTHONPATH=installed,
        OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="whence",
        OTEL_SERVICE_NAME="scoring",
        GITHUB_SHA=SHA,
    )
    assert printed == f"{SHA} whence scoring\n"


def test_detector_does_not_override_a_stated_revision(tmp_path: Path, installed: str) -> None:
    code = """
from opentelemetry.sdk.trace import TracerProvider
print(TracerProvider().resource.attributes["vcs.ref.head.revision"])
"""
    printed = execute(
        code,
        tmp_path,
        PYTHONPATH=installed,
        OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="whence",
        OTEL_RESOURCE_ATTRIBUTES="vcs.ref.head.revision=stated",
        GITHUB_SHA=SHA,
    )
    assert printed == "stated\n"


def test_configure_on_the_applications_provider_adds_the_code_version_it_lacks(tmp_path: Path) -> None:
    code = """
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
import whence
provider = TracerProvider(resource=Resource.create({"telemetry.distro.name": "vendor"}))
tracer = provider.get_tracer("made before")
trace.set_tracer_provider(provider)
whence.configure()
for who in (tracer, trace.get_tracer("made after")):
    found = who.start_span("work").resource.attributes
    print(found["vcs.ref.head.revision"], found["telemetry.distro.name"], found["service.name"])
"""
    printed = execute(code, tmp_path, OTEL_SERVICE_NAME="scoring", GITHUB_SHA=SHA)
    assert printed == f"{SHA} vendor scoring\n" * 2


def test_run_exports_openlineage_events_beside_its_span(capture: Capture, tmp_path: Path) -> None:
    execute(
        APPLICATION + "    whence.writes('file#shop/ranker@version:v42')",
        tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=capture.url,
        WHENCE_URL=capture.url,
        OPENLINEAGE_DISABLED="false",
        OTEL_RESOURCE_ATTRIBUTES="service.namespace=shop",
        GITHUB_SHA=SHA,
        GITHUB_SERVER_URL="https://github.com",
        GITHUB_REPOSITORY="acme/ranker",
    )
    start, complete = (json.loads(body) for path, body in capture.bodies if path == "/api/v1/lineage")
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert (complete["job"]["namespace"], complete["job"]["name"]) == ("otel://shop", "train-ranker")
    assert complete["job"]["facets"]["sourceCodeLocation"]["version"] == SHA
    assert [one["name"] for one in complete["outputs"]] == ["shop/ranker"]
    assert [name for _, name, _ in capture.spans()] == ["train-ranker"]
