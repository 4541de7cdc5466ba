"""Servers that behave badly, and an application that sends them all that it has."""

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import run

import pytest

from tests.e2e.sdk_host import clean_environment

CLOSED = "http://127.0.0.1:9"
"""Where nobody listens."""
APPLICATION = """
import logging, sys
logging.basicConfig(stream=sys.stderr)
import whence
from opentelemetry import trace
whence.configure()
tracer = trace.get_tracer("app")
for number in range(300):
    with tracer.start_as_current_span("request"), whence.reads(f"file#a@version:{number}"):
        whence.outcome(bad=False)
with whence.run("train"):
    whence.writes("file#b@version:1")
for number in range(100):
    whence.change("otel://shop#a", kind="config")
print("answer")
sys.exit(7)
"""


class Bad(BaseHTTPRequestHandler):
    """A server that behaves badly in the way that its class says."""

    respond: Callable[["Bad"], None]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).respond(self)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


closing = threading.Event()


def garbage(handler: Bad) -> None:
    handler.wfile.write(b"\x00\xff" * 512)


def too_many(handler: Bad) -> None:
    handler.send_response(429)
    handler.send_header("Retry-After", "3600")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def slow(_handler: Bad) -> None:
    closing.wait(60)


def hangs_up(handler: Bad) -> None:
    handler.close_connection = True


@pytest.fixture(params=[garbage, too_many, slow, hangs_up], ids=lambda behaviour: behaviour.__name__)
def bad_url(request: pytest.FixtureRequest) -> Iterator[str]:
    closing.clear()
    handler = type("Handler", (Bad,), {"respond": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


def outcome_with(directory: Path, url: str, code: str = APPLICATION) -> tuple[str, int, str]:
    """What an application printed, its exit code, and what it logged."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "WHENCE_URL": url,
        "OPENLINEAGE_DISABLED": "false",
        "WHENCE_HEARTBEAT_SECONDS": "60",
        "OTEL_SERVICE_NAME": "app",
    }
    done = run(
        [sys.executable, "-c", code],
        env=clean_environment() | variables,
        cwd=directory,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout, done.returncode, done.stderr
