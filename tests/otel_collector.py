"""A real OpenTelemetry Collector for tests: the one of ``WHENCE_TEST_OTELCOL``, else one built with Go.

A build takes minutes, and is kept in the cache under the hash of its manifest.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.jars import cache_root, locked
from tests.whence_server import free_ports

MANIFEST = Path(__file__).with_suffix(".yaml")
BUILDER = "go.opentelemetry.io/collector/cmd/builder"
BUILD_SECONDS = 1_800
START_SECONDS = STOP_SECONDS = 60


class NoCollector(Exception):
    """There is no way to a Collector; says what to install."""


def collector_binary() -> Path:
    """The program, built where it was not yet.

    Raises:
        NoCollector: None is given, and it can't be built.
    """
    if given := os.environ.get("WHENCE_TEST_OTELCOL"):
        return Path(given)
    name = f"otelcol-{hashlib.sha256(MANIFEST.read_bytes()).hexdigest()[:12]}"
    folder = cache_root() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{name}.lock")):
        if not (folder / "otelcol").is_file():
            _build(folder)
    return folder / "otelcol"


def _build(folder: Path) -> None:
    """Fill ``folder``, which appears whole or not at all."""
    go = shutil.which("go")
    if go is None:
        raise NoCollector("Some tests need an OpenTelemetry Collector: set WHENCE_TEST_OTELCOL, or install Go")
    version = yaml.safe_load(MANIFEST.read_text())["dist"]["version"]
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    command = [go, "run", f"{BUILDER}@v{version}", f"--config={MANIFEST}"]
    done = subprocess.run(command, cwd=part, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    if done.returncode != 0:
        raise NoCollector(f"Building an OpenTelemetry Collector failed: {(done.stdout + done.stderr)[-2000:]}")
    part.rename(folder)


@contextmanager
def running_collector(binary: Path, target: str, folder: Path, *, compression: str = "none") -> Iterator[str]:
    """A Collector that sends on what it gets; gives its OTLP/HTTP address. Everything is sent on when it ends."""
    (port,) = free_ports(1)
    config = folder / "collector.yaml"
    config.write_text(yaml.safe_dump(_configuration(port, target, compression)))
    log = folder / "collector.log"
    with log.open("wb") as output:
        process = subprocess.Popen([binary, f"--config={config}"], stdout=output, stderr=output)
    try:
        _wait_until_ready(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _configuration(port: int, target: str, compression: str) -> dict[str, object]:
    pipeline = {"receivers": ["otlp"], "processors": ["batch"], "exporters": ["otlphttp"]}
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "processors": {"batch": {"timeout": "100ms"}},
        "exporters": {"otlphttp": {"endpoint": target, "compression": compression}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": pipeline, "logs": pipeline},
        },
    }


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except urllib.error.HTTPError:
            return  # it answers, if only that there is nothing here
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the Collector did not start:\n{log.read_text()[-3000:]}")
