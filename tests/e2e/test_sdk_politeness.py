"""The SDK as a guest: whatever happens to what it sends, the application's answers and exit code stay the same."""

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import run

import pytest

from tests.e2e.sdk_host import Capture, capture, clean_environment, execute

__all__ = ["capture"]

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


def test_badly_behaved_collector_changes_neither_answer_nor_exit_code(tmp_path: Path, bad_url: str) -> None:
    assert outcome_with(tmp_path, bad_url)[:2] == ("answer\n", 7)


def test_collector_that_is_down_changes_nothing_and_each_loss_is_told_once(tmp_path: Path) -> None:
    printed, code, logged = outcome_with(tmp_path, "http://127.0.0.1:9")
    assert (printed, code) == ("answer\n", 7)
    ours = [line for line in logged.splitlines() if line.startswith("WARNING:whence")]
    reasons = [line.split(":")[3] for line in ours]
    assert "a report that the server did not take" in logged
    assert len(reasons) == len(set(reasons))


def test_broken_instrumentor_and_broken_heartbeat_change_nothing(tmp_path: Path) -> None:
    code = """
import pickle, sys
import whence
from whence.sdk import entity_state, heartbeat, instrument
from whence.sdk.instrument import pickled
def broken(*_args, **_kwargs):
    raise RuntimeError("ours")
pickled.instrument = heartbeat.entity_state = broken
whence.configure()
whence.reads("file#a")
with open("a.pickle", "wb") as file:
    pickle.dump({"a": 1}, file)
with open("a.pickle", "rb") as file:
    print(pickle.load(file))
from whence.sdk import leaving
leaving.leave()
from whence.sdk.guard import losses
print(sorted(losses()))
sys.exit(3)
"""
    printed, exit_code, _ = outcome_with(tmp_path, "http://127.0.0.1:9", code)
    assert printed.splitlines()[0] == "{'a': 1}"
    assert "fault in _instrument" in printed
    assert "fault in Heartbeat._beat" in printed
    assert exit_code == 3


def test_fork_while_everything_is_flushing_loses_neither_process(capture: Capture, tmp_path: Path) -> None:
    code = """
import os, sys
import whence
from whence.sdk import leaving
whence.configure()
children = []
for number in range(10):
    whence.change("otel://shop#a", kind="config", id=f"parent {number}")
    whence.reads(f"file#parent@version:{number}")
    child = os.fork()
    if child == 0:
        whence.change("otel://shop#a", kind="config", id=f"child {number}")
        leaving.leave()
        os._exit(0)
    children.append(child)
codes = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
print(codes)
"""
    printed = execute(
        code,
        tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=capture.url,
        WHENCE_URL=capture.url,
        WHENCE_HEARTBEAT_SECONDS="60",
        OTEL_SERVICE_NAME="app",
    )
    assert printed == "{0}\n"
    changes = b" ".join(body for path, body in capture.bodies if path == "/api/v1/changes")
    for who in ("parent", "child"):
        assert all(f'"{who} {number}"'.encode() in changes for number in range(10))


def test_memory_for_what_can_not_be_sent_is_bounded(tmp_path: Path) -> None:
    code = """
import whence
from whence.sdk import sender
from whence.sdk.guard import losses
for number in range(5_000):
    whence.change("otel://shop#a", kind="config")
    whence.reads(f"file#a@version:{number}")
waiting = sender._sender._waiting.qsize()
from whence.sdk.edges import used
print(waiting <= 64, len(list(used())) <= 4_096, sum(losses().values()) >= 5_000 - 64 - 4_096)
"""
    assert outcome_with(tmp_path, "http://127.0.0.1:9", code)[0] == "True True True\n"
