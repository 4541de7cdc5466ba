"""Which code runs here: the revision from the CI system's variables or the checkout that the process was started in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import unquote

from opentelemetry.sdk.resources import Resource, ResourceDetector

from whence.model.names import CONTRACT_VERSION, CONTRACT_VERSION_NAME, REPOSITORY, REVISION, SERVICE_VERSION
from whence.sdk.guard import guarded

_REVISION_VARIABLES = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "BITBUCKET_COMMIT",
    "CIRCLE_SHA1",
    "BUILD_SOURCEVERSION",
    "GIT_COMMIT",
)
_REVISION = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ORIGIN = re.compile(r'^\[remote "origin"\]\n(?:[ \t]+.*\n)*?[ \t]+url *= *(\S+)', re.MULTILINE)
_SSH_ADDRESS = re.compile(r"(?:ssh://)?[\w.-]+@([\w.-]+)[:/](.+)")
_MAX_LINES = 100_000


class CodeDetector(ResourceDetector):
    """Fills ``vcs.*`` and says that we are here. What the user stated in ``OTEL_RESOURCE_ATTRIBUTES`` always wins.

    The ``.git`` directory is only a guess at what runs: it counts where neither the user nor the CI system names a
    version. The schema URL stays empty, because merging two different ones loses a resource's attributes.
    """

    def detect(self) -> Resource:
        """Read a few variables and at most a few small files; never fails."""
        return Resource(_distribution() | (code_attributes(os.environ, Path.cwd()) or {}))


@guarded
def code_attributes(environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Revision and repository of the code that runs in ``directory``, as far as they can be told."""
    for name in _REVISION_VARIABLES:
        if _REVISION.fullmatch(environ.get(name, "")):
            return _known(environ[name], _repository_of_pipeline(environ))
    if {SERVICE_VERSION, REVISION} & stated_attributes(environ):
        return {}
    git = next(_git_directories(directory), None)
    return {} if git is None else _known(_head(git), _origin(git))


def stated_attributes(environ: Mapping[str, str]) -> set[str]:
    """Names of the resource attributes that the user set through the environment."""
    pairs = environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")
    return {unquote(pair.partition("=")[0].strip()) for pair in pairs if "=" in pair}


def canonical_repository(address: str) -> str:
    """A repository's address as https URL without credentials and ``.git``."""
    ssh = _SSH_ADDRESS.fullmatch(address)
    if ssh is not None:
        address = f"https://{ssh[1]}/{ssh[2]}"
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path.rstrip('/').removesuffix('.git')}"


def _known(revision: str | None, repository: str | None) -> dict[str, str]:
    return {name: value for name, value in ((REVISION, revision), (REPOSITORY, repository)) if value}


def _repository_of_pipeline(environ: Mapping[str, str]) -> str | None:
    server, name = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    address = f"{server}/{name}" if server and name else environ.get("CI_PROJECT_URL")
    return canonical_repository(address) if address else None


def _git_directories(directory: Path) -> Iterator[Path]:
    """Nearest first. In a work tree or submodule ``.git`` is a file that names the directory."""
    for folder in (directory, *directory.parents):
        dot_git = folder / ".git"
        if dot_git.is_dir():
            yield dot_git
        elif dot_git.is_file():
            yield folder / dot_git.read_text().removeprefix("gitdir:").strip()


def _head(git: Path) -> str | None:
    head = (git / "HEAD").read_text().strip()
    if not head.startswith("ref: "):
        return head if _REVISION.fullmatch(head) else None
    name = head.removeprefix("ref: ")
    for home in (git, _common(git)):
        if (home / name).is_file():
            return (home / name).read_text().strip()
    return _packed(_common(git) / "packed-refs", name)


def _packed(packed_refs: Path, name: str) -> str | None:
    if not packed_refs.is_file():
        return None
    with packed_refs.open() as lines:
        for _, line in zip(range(_MAX_LINES), lines, strict=False):
            revision, _, ref = line.strip().partition(" ")
            if ref == name:
                return revision
    return None


def _common(git: Path) -> Path:
    """The directory that a work tree shares with its main checkout."""
    pointer = git / "commondir"
    return git / pointer.read_text().strip() if pointer.is_file() else git


def _origin(git: Path) -> str | None:
    config = _common(git) / "config"
    match = _ORIGIN.search(config.read_text()) if config.is_file() else None
    return canonical_repository(match[1]) if match else None


def _distribution() -> dict[str, str]:
    try:
        own_version = version("whence")
    except PackageNotFoundError:
        own_version = "unknown"
    return {
        CONTRACT_VERSION_NAME: CONTRACT_VERSION,
        "telemetry.distro.name": "whence",
        "telemetry.distro.version": own_version,
    }
