"""The SDK as a guest when its host has a hard time: it ends, its disk is full, its clock jumps, its memory counts."""

import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE, run

import pytest

from tests.e2e.bad_servers import APPLICATION, CLOSED, bad_url, outcome_with, slow
from tests.e2e.sdk_host import Capture, capture, clean_environment

__all__ = ["bad_url", "capture"]

LEAVING = """
import os, signal, sys, threading, time
import whence
from opentelemetry import trace
whence.configure()
tracer = trace.get_tracer("app")
for number in range(2_000):
    with tracer.start_as_current_span("request"), whence.reads(f"file#a@version:{number}"):
        pass
    whence.change("otel://shop#a", kind="config")
print("answer", flush=True)
"""
ENDINGS = {
    "sys.exit(4)": 4,
    "raise ValueError('theirs')": 1,
    "os._exit(5)": 5,
    "os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)": -signal.SIGTERM,
    "os.kill(os.getpid(), signal.SIGINT); time.sleep(30)": -signal.SIGINT,
    "threading.Thread(target=time.sleep, args=(1,)).start()": 0,
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("bad_url", [slow], indirect=True)
def test_exit_while_everything_is_flushing_is_as_the_application_meant_it(
    tmp_path: Path, bad_url: str, ending: str
) -> None:
    begin = time.monotonic()
    assert outcome_with(tmp_path, bad_url, LEAVING + ending)[:2] == ("answer\n", ENDINGS[ending])
    assert time.monotonic() - begin < 15  # OpenTelemetry's own exporter alone may hold an exit up for 30 s


FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    with open("full", "w") as file:
        file.write("a")
    print("the disk is not full")
except OSError:
    pass
"""


@pytest.mark.parametrize("is_heard", [True, False])
def test_full_disk_changes_nothing(capture: Capture, tmp_path: Path, is_heard: bool) -> None:
    """No file can grow, and what is logged ends in a device that is always full."""
    url = capture.url if is_heard else CLOSED
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "WHENCE_URL": url, "OTEL_SERVICE_NAME": "app"}
    with open("/dev/full", "w") as full:
        done = run(
            [sys.executable, "-c", FULL_DISK + APPLICATION],
            env=clean_environment() | variables,
            cwd=tmp_path,
            check=False,
            stdout=PIPE,
            stderr=full,
            text=True,
            timeout=60,
        )
    assert (done.stdout, done.returncode) == ("answer\n", 7)
    assert ({"/v1/traces", "/api/v1/changes"} <= {path for path, _ in capture.bodies}) == is_heard


@pytest.mark.parametrize("jump_s", [-86_400, 86_400, -(2**31)])
def test_clock_that_jumps_changes_nothing_and_edges_still_arrive(capture: Capture, tmp_path: Path, jump_s: int) -> None:
    code = f"""
import sys, threading, time
real, real_ns, moved = time.time, time.time_ns, 0
time.time = lambda: real() + moved
time.time_ns = lambda: real_ns() + moved * 10**9
import whence
from opentelemetry import trace
whence.configure()
tracer = trace.get_tracer("app")
for moved in (0, {jump_s}, 0):
    with tracer.start_as_current_span("request"), whence.reads(f"file#a@version:{{moved}}"), whence.run("train"):
        whence.change("otel://shop#a", kind="config", id=str(moved))
    time.sleep(1)
print("answer")
sys.exit(7)
"""
    assert outcome_with(tmp_path, capture.url, code)[:2] == ("answer\n", 7)
    assert len([path for path, _ in capture.bodies if path == "/api/v1/changes"]) == 3
    told = b" ".join(body for path, body in capture.bodies if path == "/v1/logs")
    assert b"file#a@version:0" in told
    assert f"file#a@version:{jump_s}".encode() in told


@pytest.mark.slow
def test_memory_stays_flat_while_nothing_can_be_sent(tmp_path: Path) -> None:
    code = """
import gc, resource
import whence
from opentelemetry import trace
whence.configure()
tracer = trace.get_tracer("app")
def work(number):
    with tracer.start_as_current_span("request"), whence.reads(f"file#a@version:{number}"):
        whence.change("otel://shop#a", kind="config")
        whence.outcome(bad=True, reason="empty")
def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20
for number in range(20_000):
    work(number)
before = resident()
for number in range(20_000, 60_000):
    work(number)
grown = resident() - before
print(grown < 8, grown)
"""
    printed = outcome_with(tmp_path, CLOSED, code)[0]
    assert printed.startswith("True"), printed


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
    assert outcome_with(tmp_path, CLOSED, code)[0] == "True True True\n"
