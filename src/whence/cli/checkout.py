"""The files of a checkout that state something, and which checkout it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from whence.cli.exits import USAGE, Failure
from whence.declare.formats import is_named_so, may_state, read_files

MAX_FILE_BYTES = 64 << 20
_GIT_SECONDS = 10


def checkout_body(path: Path, name: str | None) -> dict[str, Any]:
    """What the API takes for an import: every file below a path (or the one file) that states something.

    Raises:
        Failure: There is no such path, or nothing there states anything.
    """
    if not path.exists():
        raise Failure(USAGE, f"there is no {path}")
    root = path if path.is_dir() else path.parent
    texts = _texts(root, [path] if path.is_file() else None)
    wanted = {one.path for one in read_files(texts) if one.format or (one.problem and is_named_so(one.path))}
    files = [{"path": file, "text": text} for file, text in sorted(texts.items()) if file in wanted or _is_rule(file)]
    if not wanted:
        raise Failure(
            USAGE,
            f"nothing in {path} states dependencies",
            "whence reads whence.yaml, catalog-info.yaml, compose.yaml, dbt's manifest.json, data contracts, "
            "NetworkPolicy, and *.openlineage.json",
        )
    return {"name": name or _name(root), "revision": _git(root, "rev-parse", "HEAD"), "files": files}


def _texts(root: Path, only: list[Path] | None) -> dict[str, str]:
    found = {}
    for file in only if only is not None else _files(root):
        relative = file.relative_to(root).as_posix()
        if (only is not None or may_state(relative)) and file.stat().st_size <= MAX_FILE_BYTES:
            try:
                found[relative] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return found


def _files(root: Path) -> list[Path]:
    found: list[Path] = []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if may_state((here / name / "a.yaml").relative_to(root).as_posix())]
        found += [here / name for name in names if (here / name).is_file()]
    return found


def _is_rule(file: str) -> bool:
    return file.endswith("CODEOWNERS")


def _name(root: Path) -> str:
    remote = _git(root, "remote", "get-url", "origin").removesuffix(".git")
    host_and_path = remote.partition("://")[2].rpartition("@")[2] or remote.rpartition("@")[2].replace(":", "/")
    return host_and_path or root.resolve().name


def _git(root: Path, *arguments: str) -> str:
    """What git says, or nothing where the path is in no repository."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the one on the path
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
