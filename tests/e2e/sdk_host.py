"""An application under test in a process of its own, and a server that only writes down what comes."""

import os
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import run
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from whence.fold import Callers
from whence.model.delta import GraphDelta, merge_all
from whence.otlp import DecodeLimits, Encoding, decode_logs

Edges = set[tuple[str, str, str]]

REQUESTS = """
import whence
from opentelemetry import trace
whence.configure()
tracer = trace.get_tracer("app")
for number in range(200):
    with tracer.start_as_current_span("request"):
        with whence.uses_model(f"file#shop/ranker@version:v{number % 7}"):
            whence.reads(f"s3://lake#features@iceberg:{number % 11}")
whence.writes("file#shop/answers@version:1")
"""

ENTRY_POINTS = """
[opentelemetry_post_instrument]
whence = whence:configure

[opentelemetry_resource_detector]
whence = whence.sdk.resource:CodeDetector
"""


class Capture(ThreadingHTTPServer):
    """Keeps the path and body of every request; answers the first ones with ``refusals``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[tuple[str, bytes]] = []
        self.refusals: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[tuple[dict[str, str], str, dict[str, list[str]]]]:
        """(resource, name, lists among the attributes) of every span."""
        found = []
        for path, body in self.bodies:
            if path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    who = {item.key: item.value.string_value for item in resource.resource.attributes}
                    for span in (span for scope in resource.scope_spans for span in scope.spans):
                        lists = {
                            item.key: [value.string_value for value in item.value.array_value.values]
                            for item in span.attributes
                        }
                        found.append((who, span.name, lists))
        return found


class _Handler(BaseHTTPRequestHandler):
    server: Capture

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append((self.path, body))
        self.send_response(self.server.refusals.pop(0) if self.server.refusals else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def capture() -> Iterator[Capture]:
    with Capture() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A folder for ``PYTHONPATH`` that holds nothing but our entry points, as an installed package states them."""
    package = tmp_path / "site/whence_entry_points-0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: whence-entry-points\nVersion: 0\n")
    (package / "entry_points.txt").write_text(ENTRY_POINTS)
    return str(package.parent)


def clean_environment() -> dict[str, str]:
    """The environment without anything that OpenTelemetry, pytest or whence would look at."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTEST_", "WHENCE_"))}
    return kept | {"OPENLINEAGE_DISABLED": "true", "WHENCE_HEARTBEAT_SECONDS": "0"}


def execute(code: str, directory: Path, **environ: str) -> str:
    """Run an application and give back what it printed."""
    done = run(
        [sys.executable, "-c", code],
        env=clean_environment() | environ,
        cwd=directory,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout


def edges(capture: Capture) -> Edges:
    """(from, relation, to) of everything that the receiver makes of the log records."""
    callers, found = Callers(), GraphDelta()
    for path, body in capture.bodies:
        if path == "/v1/logs":
            batch = decode_logs(body, Encoding.PROTOBUF, limits=DecodeLimits(), now_ns=time.time_ns())
            assert batch.rejections.counts == ()
            found = merge_all((found, batch.delta, callers.hear(batch.names, batch.calls, 0)))
    return {(key.src, key.type.value, key.dst) for key in found.relations}
