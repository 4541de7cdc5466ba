import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from whence.sdk import doctor
from whence.sdk.doctor import Finding

SHA = "9d59409acf479dfa0df1aa568182e43e43df8bbe"
GOOD = {
    "OTEL_SERVICE_NAME": "scoring",
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=production",
    "GITHUB_SHA": SHA,
}


def examined(monkeypatch: pytest.MonkeyPatch, directory: Path, **environ: str) -> dict[str, Finding]:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "GITHUB_SHA", "CI_COMMIT_SHA", "WHENCE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(directory)
    return {one.what: one for one in doctor.findings(environ)}


def test_doctor_of_a_bare_process_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "WHENCE_URL": "http://127.0.0.1:9"}
    found = examined(monkeypatch, tmp_path, WHENCE_HEARTBEAT_SECONDS="0", **away)
    assert {what for what, one in found.items() if one.advice} >= {
        "service",
        "code version",
        "environment",
        "spans go to",
        "changes and runs go to",
        "edges of unsampled requests",
    }


def test_doctor_of_a_well_described_process_finds_nothing_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        places = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "WHENCE_URL": url}
        found = examined(monkeypatch, tmp_path, WHENCE_HEARTBEAT_SECONDS="60", **GOOD, **places)
    assert [one for one in found.values() if one.advice] == []
    assert SHA in found["code version"].detail
    assert "pandas" in found["models and data are told by"].detail


def test_doctor_shows_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = examined(monkeypatch, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://user:secret@127.0.0.1:9/?token=secret")
    assert "secret" not in str(found)


@pytest.mark.parametrize("command", [["-m", "whence.sdk.doctor"], ["-m", "whence.cli", "doctor", "app"]])
def test_doctor_as_command_prints_json_and_exits_by_what_it_found(tmp_path: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command, "--json"],
        cwd=tmp_path,
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert {one["what"] for one in json.loads(done.stdout)} >= {"service", "code version"}
