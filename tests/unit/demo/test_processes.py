"""Children of the demo live no longer than it, whenever it is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from whence.demo.processes import Fleet, uninterrupted

SLEEP = ["-c", "import time; time.sleep(600)"]


def test_child_that_is_being_started_while_the_demo_is_told_to_stop_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Popen(subprocess.Popen[bytes]):
        """The real one, but the request to stop comes before its caller has it in hand."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    fleet = Fleet(tmp_path / "logs")
    with pytest.raises(KeyboardInterrupt):
        fleet.start("sleeper", SLEEP, {})
    fleet.close()
    assert [child.poll() for child in started] == [-signal.SIGTERM]


def test_who_cleans_up_is_not_interrupted() -> None:
    usual = signal.getsignal(signal.SIGTERM)
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is usual
