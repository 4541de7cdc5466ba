"""Published jars of a server, fetched once and shared by every test run on the machine.

A recipe is a folder with a ``pom.xml`` and a ``jars.lock`` (SHA-256, bytes and repository path of every jar). Maven
fetches by the first; without Maven, or where it fails, we fetch by the second ourselves, from the repository that
``WHENCE_MAVEN_REPOSITORY`` names. Either way every jar is checked against the lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

FETCH_THREADS = 16
FETCH_TIMEOUT_SECONDS = 120
MAVEN_TIMEOUT_SECONDS = 900


class JarsMissing(Exception):
    """There is no way to get the jars; says every way that was tried."""


class Jar(NamedTuple):
    sha256: str
    size: int
    path: str
    """Inside a Maven repository."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def cached_jars(recipe: Path, name: str) -> Path:
    """Folder with every jar of a recipe, from the cache or fetched into it.

    Raises:
        JarsMissing: They could not be fetched.
    """
    folder = cache_root() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{name}.lock")):
        if not folder.is_dir():
            _fetch(recipe, folder)
    return folder


def _fetch(recipe: Path, folder: Path) -> None:
    """Fill ``folder``, which appears whole or not at all."""
    jars = _read_lock(recipe / "jars.lock")
    part = folder.with_name(f"{folder.name}.part")
    failures = []
    for fetch in (_fetch_with_maven, _fetch_by_lock):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            fetch(recipe, jars, part)
            _check(jars, part)
        except JarsMissing as error:
            failures.append(str(error))
        else:
            part.rename(folder)
            return
    raise JarsMissing("; ".join(failures))


def _fetch_with_maven(recipe: Path, _jars: list[Jar], folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise JarsMissing("mvn is not on PATH")
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    command = [maven, "--quiet", "--batch-mode", "--file", str(recipe / "pom.xml"), *goal]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAVEN_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise JarsMissing(f"mvn took longer than {MAVEN_TIMEOUT_SECONDS} s") from None
    if done.returncode != 0:
        raise JarsMissing(f"mvn failed: {(done.stdout + done.stderr).strip()[:500]}")


def _fetch_by_lock(_recipe: Path, jars: list[Jar], folder: Path) -> None:
    repository = os.environ.get("WHENCE_MAVEN_REPOSITORY")
    if not repository:
        raise JarsMissing("WHENCE_MAVEN_REPOSITORY (base URL of a Maven repository) is not set")

    def fetch_one(jar: Jar) -> None:
        url = f"{repository.rstrip('/')}/{jar.path}"
        with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_SECONDS) as answer:
            (folder / jar.name).write_bytes(answer.read(jar.size + 1))

    try:
        with ThreadPoolExecutor(FETCH_THREADS) as pool:
            list(pool.map(fetch_one, jars))
    except OSError as error:
        raise JarsMissing(f"fetching from WHENCE_MAVEN_REPOSITORY failed: {error}") from error


def _check(jars: list[Jar], folder: Path) -> None:
    for jar in jars:
        path = folder / jar.name
        if not path.is_file():
            raise JarsMissing(f"{jar.name} was not fetched")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != jar.sha256:
                raise JarsMissing(f"{jar.name} is not the jar that jars.lock names")


def _read_lock(path: Path) -> list[Jar]:
    lines = (line.split(maxsplit=2) for line in path.read_text().splitlines())
    return [Jar(sha256, int(size), where) for sha256, size, where in lines]


def cache_root() -> Path:
    """Folder of what the tests fetched or built: ``WHENCE_TEST_CACHE``, else the user's cache."""
    if chosen := os.environ.get("WHENCE_TEST_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "whence-tests"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes; it goes with the process, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
