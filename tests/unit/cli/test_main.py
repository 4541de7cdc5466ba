from __future__ import annotations

import subprocess
import sys

import pytest

from whence.cli import main
from whence.cli.app import COMMANDS, run

NAMES = [command.__name__ for command in COMMANDS]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_bare_install_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "typer", None)
    for name in [name for name in sys.modules if name.startswith("whence.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert 'pip install "whence[server]"' in capsys.readouterr().err


def test_asking_for_help_loads_neither_server_nor_client() -> None:
    script = "import sys; from whence.cli.app import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(ran.stderr.split())
    assert "typer" in loaded
    assert not loaded & {"fastapi", "grpc", "numpy", "httpx", "pydantic", "rich.console", "neo4j", "whence.main"}
