"""The SDK on top of other people's OpenTelemetry set-ups, each in an environment of its own."""

import json
import os
import re
import shutil
import tomllib
from pathlib import Path
from subprocess import run

import pytest

from tests.e2e.bad_servers import CLOSED
from tests.e2e.sdk_host import Capture, capture, clean_environment, edges, installed

__all__ = ["capture", "installed"]

ROOT = Path(__file__).parents[2]
CLICKS = "file#shop/clicks@opaque:c4"
SHA = "9d59409acf479dfa0df1aa568182e43e43df8bbe"
USE = f"""
with tracer.start_as_current_span("request"), whence.reads("{CLICKS}"):
    with tracer.start_as_current_span("query"):
        pass
whence.uses_model("file#shop/ranker@version:7")
print("answer")
"""
LOGFIRE = """
import logfire, whence
from opentelemetry import trace
logfire.configure(send_to_logfire=False, console=False, service_name="app", inspect_arguments=False)
whence.configure()
tracer = trace.get_tracer("app")
"""
AZURE = """
import os, whence
from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import trace
place = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
configure_azure_monitor(
    connection_string=f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={place}",
    enable_live_metrics=False, disable_offline_storage=True, enable_performance_counters=False, sampling_ratio=1.0,
)
whence.configure()
tracer = trace.get_tracer("app")
"""
ZERO_CODE = """
import sys
from opentelemetry.instrumentation.auto_instrumentation import run
sys.argv = ["opentelemetry-instrument", sys.executable, "-c", {application!r}]
run()
"""
HAND = "import whence\nfrom opentelemetry import trace\ntracer = trace.get_tracer('app')\n"


def execute_in(world: str, *arguments: str, directory: Path, url: str, path: str = "") -> str:
    """Run Python in the environment of one dependency group, with our sources in reach; what it printed."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv, which makes the environment: pip install uv")
    environ = {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT / "src"), path))),
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "app",
        "GITHUB_SHA": SHA,
        "WHENCE_HEARTBEAT_SECONDS": "60",
    }
    done = run(
        [
            uv,
            "run",
            "--quiet",
            "--isolated",
            "--locked",
            "--project",
            ROOT,
            "--only-group",
            world,
            "python",
            *arguments,
        ],
        env=clean_environment() | environ,
        cwd=directory,
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_told(capture: Capture) -> None:
    spans = {name: (resource, lists) for resource, name, lists in capture.spans()}
    resource, lists = spans["query"]
    assert lists["whence.inputs"] == [CLICKS]
    assert resource["vcs.ref.head.revision"] == SHA
    assert {kind for _, kind, _ in edges(capture)} >= {"READS", "USES_MODEL"}


def test_bare_install_needs_what_the_package_states() -> None:
    """The world of the next test is the one that ``pip install whence`` makes."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert stated["dependency-groups"]["bare"] == stated["project"]["dependencies"]
    names = {re.split("[<>=]", requirement)[0] for requirement in stated["project"]["dependencies"]}
    assert names == {"opentelemetry-api", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"}


@pytest.mark.parametrize("world", ["bare", "oldest"])
def test_bare_install_and_the_oldest_opentelemetry(capture: Capture, tmp_path: Path, world: str) -> None:
    code = HAND.replace("tracer =", "whence.configure()\ntracer =") + USE
    assert execute_in(world, "-c", code, directory=tmp_path, url=capture.url) == "answer\n"
    assert_told(capture)


def test_doctor_examines_an_application_that_has_the_sdk_alone(tmp_path: Path) -> None:
    code = "import sys; from whence.cli import main; sys.argv[1:] = ['doctor', 'app', '--json']\ntry: main()\n"
    code += "except SystemExit as end: print(end.code)"
    found, _, exit_code = execute_in("bare", "-c", code, directory=tmp_path, url=CLOSED).strip().rpartition("\n")
    assert exit_code == "1"
    assert {one["what"] for one in json.loads(found)} >= {"service", "code version"}


def test_logfire(capture: Capture, tmp_path: Path) -> None:
    assert execute_in("logfire", "-c", LOGFIRE + USE, directory=tmp_path, url=capture.url) == "answer\n"
    assert_told(capture)


@pytest.mark.parametrize("vendor", ["elastic", "splunk"])
def test_distribution_of_a_vendor_without_code(capture: Capture, tmp_path: Path, installed: str, vendor: str) -> None:
    code = ZERO_CODE.format(application=HAND + USE)
    assert execute_in(vendor, "-c", code, directory=tmp_path, url=capture.url, path=installed) == "answer\n"
    assert_told(capture)


def test_distribution_that_exports_its_own_way(capture: Capture, tmp_path: Path) -> None:
    assert execute_in("azure", "-c", AZURE + USE, directory=tmp_path, url=capture.url) == "answer\n"
    sent = [item["data"]["baseData"] for _, body in capture.bodies for item in json.loads(body)]
    (query,) = (item for item in sent if item.get("name") == "query")
    assert CLICKS in query["properties"]["whence.inputs"]


@pytest.mark.slow
def test_feature_store() -> None:
    tests = "tests/unit/sdk/features_of_feast.py"
    assert "2 passed" in execute_in("feast", "-m", "pytest", tests, directory=ROOT, url=CLOSED)
