"""What a checkout says of itself, read from the files of ``.git``: work trees, submodules, packed refs, no branch."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

REVISION_PATTERN = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ORIGIN = re.compile(r'^\[remote "origin"\]\n(?:[ \t]+.*\n)*?[ \t]+url *= *(\S+)', re.MULTILINE)
_SSH_ADDRESS = re.compile(r"(?:ssh://)?[\w.-]+@([\w.-]+)[:/](.+)")
_MAX_LINES = 100_000
_STATUS = ("git", "-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=no", "--ignore-submodules")
_STATUS_SECONDS = 1.0


def git_directory(directory: Path) -> Path | None:
    """The nearest ``.git``. In a work tree or submodule it is a file that names the directory."""
    return next(_git_directories(directory), None)


def head(git: Path) -> str | None:
    """The commit that is checked out, or None before the first one."""
    text = (git / "HEAD").read_text().strip()
    if not text.startswith("ref: "):
        return text if REVISION_PATTERN.fullmatch(text) else None
    name = text.removeprefix("ref: ")
    for home in (git, _common(git)):
        if (home / name).is_file():
            return (home / name).read_text().strip()
    return _packed(_common(git) / "packed-refs", name)


def origin(git: Path) -> str | None:
    """The canonical address of the remote ``origin``."""
    config = _common(git) / "config"
    match = _ORIGIN.search(config.read_text()) if config.is_file() else None
    return canonical_repository(match[1]) if match else None


def is_dirty(directory: Path) -> bool:
    """Whether tracked files differ from the commit. False where git is absent, refuses, or takes over a second."""
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - a constant command
            _STATUS, cwd=directory, env=environ, capture_output=True, timeout=_STATUS_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


def canonical_repository(address: str) -> str:
    """A repository's address as https URL without credentials and ``.git``."""
    ssh = _SSH_ADDRESS.fullmatch(address)
    if ssh is not None:
        address = f"https://{ssh[1]}/{ssh[2]}"
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path.rstrip('/').removesuffix('.git')}"


def _git_directories(directory: Path) -> Iterator[Path]:
    for folder in (directory, *directory.parents):
        dot_git = folder / ".git"
        if dot_git.is_dir():
            yield dot_git
        elif dot_git.is_file():
            yield folder / dot_git.read_text().removeprefix("gitdir:").strip()


def _common(git: Path) -> Path:
    """The directory that a work tree shares with its main checkout."""
    pointer = git / "commondir"
    return git / pointer.read_text().strip() if pointer.is_file() else git


def _packed(packed_refs: Path, name: str) -> str | None:
    if not packed_refs.is_file():
        return None
    with packed_refs.open() as lines:
        for _, line in zip(range(_MAX_LINES), lines, strict=False):
            revision, _, ref = line.strip().partition(" ")
            if ref == name:
                return revision
    return None
