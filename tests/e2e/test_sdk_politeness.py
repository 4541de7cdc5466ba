"""The SDK as a guest: whatever happens to what it sends, the application's answers and exit code stay the same."""

from pathlib import Path

from tests.e2e.bad_servers import CLOSED, bad_url, outcome_with
from tests.e2e.sdk_host import Capture, capture, execute

__all__ = ["bad_url", "capture"]


def test_badly_behaved_collector_changes_neither_answer_nor_exit_code(tmp_path: Path, bad_url: str) -> None:
    assert outcome_with(tmp_path, bad_url)[:2] == ("answer\n", 7)


def test_collector_that_is_down_changes_nothing_and_each_loss_is_told_once(tmp_path: Path) -> None:
    printed, code, logged = outcome_with(tmp_path, CLOSED)
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
    printed, exit_code, _ = outcome_with(tmp_path, CLOSED, code)
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
