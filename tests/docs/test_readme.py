"""What the README promises: its commands exist, its settings are the settings, its files are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from whence.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
_NAMES = (
    "serve|demo|why|incidents|postmortem|mcp|export|changed|upstream|"
    "downstream|diff|search|show|declare|undeclared|check|policy|kpi|doctor|token|watch"
)
COMMANDS = sorted(set(re.findall(rf"whence ({_NAMES})\b", README)))


def settings_table() -> str:
    """The README's table, made from the settings."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default in ("", (), None) or "Secret" in type(default).__name__ else f"`{default}`"
        rows.append(f"| `{ENV_PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)


def test_readme_settings_table_is_what_the_settings_say() -> None:
    assert settings_table() in README, f"put this into the README:\n{settings_table()}"


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_commands_exist(command: str) -> None:
    ended = subprocess.run([sys.executable, "-m", "whence.cli", command, "--help"], capture_output=True, check=False)
    assert ended.returncode == 0


def test_readme_names_every_command_that_exists() -> None:
    ended = subprocess.run([sys.executable, "-m", "whence.cli", "--help"], capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  ([a-z]+)  ", ended.stdout.partition("Commands:")[2], re.MULTILINE))
    assert listed == set(COMMANDS)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_readme_links_lead_to_files(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m (tests\.[a-z.]+)", README))))
def test_readme_benchmarks_can_be_started(module: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_bare_install_imports_with_opentelemetry_alone() -> None:
    """``import whence`` must not load what only the server needs."""
    heavy = ["fastapi", "numpy", "grpc", "neo4j", "pydantic_settings", "msgspec", "rich", "typer"]
    code = f"import sys, whence; whence.configure; print([name for name in {heavy!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
