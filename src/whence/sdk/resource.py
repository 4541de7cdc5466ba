"""Which code runs here: from the CI system's variables, a file of the build, the image, or the checkout."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Set
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import unquote

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource, ResourceDetector

from whence.model.names import (
    CONTRACT_VERSION,
    CONTRACT_VERSION_NAME,
    IMAGE_DIGESTS,
    REPOSITORY,
    REVISION,
    SERVICE_VERSION,
)
from whence.sdk.git import git_directory, head, is_dirty, origin
from whence.sdk.guard import guarded
from whence.sdk.pipelines import pipeline_attributes

BUILD_FILE = "whence-build.json"
_BUILD_ATTRIBUTES = re.compile(r"(?:vcs|container\.image|cicd|deployment)\.[a-z._]+|service\.version")
_IMAGE = re.compile(r"\S+@sha256:[0-9a-f]{64}")
_SHORT = 12

Attributes = dict[str, str | tuple[str, ...]]


class CodeDetector(ResourceDetector):
    """Fills ``vcs.*`` and says that we are here. What the user stated in ``OTEL_RESOURCE_ATTRIBUTES`` always wins.

    The schema URL stays empty, because merging two different ones loses a resource's attributes.
    """

    def detect(self) -> Resource:
        """Read a few variables and at most a few small files; never fails."""
        return detected(stated_attributes(os.environ))


def detected(stated: Set[str]) -> Resource:
    """All that can be found out about this process, given which attributes somebody stated already."""
    return Resource(_distribution() | (code_attributes(os.environ, Path.cwd(), stated) or {}))


def resource_of(provider: object) -> Resource | None:
    """The resource of a tracer provider. Logfire's wraps OpenTelemetry's."""
    found = getattr(getattr(provider, "provider", provider), "resource", None)
    return found if isinstance(found, Resource) else None


def process_resource() -> Resource:
    """The resource under which this process's spans leave, or what can be found out where none do."""
    resource = resource_of(trace.get_tracer_provider())
    return detected(stated_attributes(os.environ)) if resource is None else resource


@guarded
def code_attributes(environ: Mapping[str, str], directory: Path, stated: Set[str] = frozenset()) -> Attributes:
    """Revision and repository of the code that runs in ``directory``, as far as they can be told.

    The checkout is only a guess at what runs: it counts where neither the user nor the build nor the CI system names a
    version. Changes that nobody committed show in ``service.version`` (``9d59409acf47+dirty``), never in the revision.
    """
    found = _image(environ) | pipeline_attributes(environ) | _built(environ, directory)
    known = {SERVICE_VERSION, REVISION, IMAGE_DIGESTS}
    return found if known & (found.keys() | stated) else found | _checked_out(directory)


def stated_attributes(environ: Mapping[str, str]) -> set[str]:
    """Names of the resource attributes that the user set through the environment."""
    pairs = environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")
    return {unquote(pair.partition("=")[0].strip()) for pair in pairs if "=" in pair}


def _image(environ: Mapping[str, str]) -> Attributes:
    """A container can't see its own digest, so whoever starts it says it: ``WHENCE_IMAGE=ghcr.io/a/b@sha256:...``."""
    image = environ.get("WHENCE_IMAGE", "")
    return {IMAGE_DIGESTS: (image,)} if _IMAGE.fullmatch(image) else {}


def _built(environ: Mapping[str, str], directory: Path) -> Attributes:
    """Resource attributes that the build wrote down, a JSON object of texts or lists of texts."""
    stated = environ.get("WHENCE_BUILD_FILE")
    candidates = (Path(stated),) if stated else (folder / BUILD_FILE for folder in (directory, *directory.parents))
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        return {}
    fields = json.loads(path.read_text())
    return {
        name: tuple(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in fields.items()
        if _BUILD_ATTRIBUTES.fullmatch(name) and value
    }


def _checked_out(directory: Path) -> Attributes:
    git = git_directory(directory)
    if git is None:
        return {}
    revision, repository = head(git), origin(git)
    found: Attributes = {name: value for name, value in ((REVISION, revision), (REPOSITORY, repository)) if value}
    if revision and is_dirty(directory):
        found[SERVICE_VERSION] = f"{revision[:_SHORT]}+dirty"
    return found


def _distribution() -> Attributes:
    try:
        own_version = version("whence")
    except PackageNotFoundError:
        own_version = "unknown"
    return {
        CONTRACT_VERSION_NAME: CONTRACT_VERSION,
        "telemetry.distro.name": "whence",
        "telemetry.distro.version": own_version,
    }
