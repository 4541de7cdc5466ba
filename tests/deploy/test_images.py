"""The Dockerfile and the Compose files.

There is no engine to build or run them with, so they are held to what a linter knows and to the published schema.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.files import DEPLOY
from whence.settings import ENV_PREFIX, Settings, load_settings

COMPOSE = [DEPLOY / "compose.yaml", DEPLOY / "kafka" / "compose.yaml"]


def services(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["services"]
    return found


def test_dockerfile_has_nothing_that_the_linter_minds() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_image_runs_as_nobody_special_and_holds_the_compiled_engine() -> None:
    build, final = (DEPLOY / "Dockerfile").read_text().rsplit("\nFROM ", 1)
    assert re.search(r"^USER 10001", final, re.MULTILINE)
    assert "cargo" not in final
    assert "import whence._native" in build


def test_dockerfile_copies_only_what_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (DEPLOY.parent / name).exists()] == []


def test_everything_that_is_copied_is_sent_to_the_builder() -> None:
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert {f"!{name.removeprefix('./')}" for line in copied for name in line.split()} <= set(sent)


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_compose_file_follows_the_published_schema(path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_files_mount_and_depend_on_what_is_there() -> None:
    both = {name for path in COMPOSE for name in services(path)}
    for path in COMPOSE:
        volumes = set(yaml.safe_load(path.read_text()).get("volumes", ()))
        for service in services(path).values():
            assert set(service.get("depends_on", ())) <= both
            for volume in service.get("volumes", ()):
                source = volume.partition(":")[0]
                assert (DEPLOY / source).is_file() if source.startswith(".") else source in volumes


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_compose_files_set_what_whence_knows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = services(path)["whence"]["environment"]
    assert set(given) <= {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name, value in given.items():
        monkeypatch.setenv(name, re.sub(r"\$\{.*?\}", "secret", value))
    assert load_settings().store_password is not None
