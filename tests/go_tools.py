"""Programs that are published as Go modules, built once and kept for every test run on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.jars import cache_root, locked

BUILD_SECONDS = 1_800


class NoTool(Exception):
    """There is no way to a program; says what to install."""


def go_tool(module: str, version: str) -> Path:
    """The program of that name on PATH, else the one built from its module.

    Raises:
        NoTool: It is not on PATH, and can't be built.
    """
    name = next(part for part in reversed(module.split("/")) if not part.startswith("v"))
    if found := shutil.which(name):
        return Path(found)
    go = shutil.which("go")
    if go is None:
        raise NoTool(f"{name} is not on PATH, and there is no Go to build it with")
    folder = cache_root() / f"{name}-{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not (folder / name).is_file():
            _install(go, f"{module}@{version}", folder)
    return folder / name


def _install(go: str, what: str, folder: Path) -> None:
    environment = {**os.environ, "GOBIN": str(folder)}
    done = subprocess.run(
        [go, "install", what], env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if done.returncode != 0:
        raise NoTool(f"{what} can't be built: {done.stderr.strip()[-500:]}")
