"""What the variables of a CI system say of the code that its job runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from whence.model.names import REPOSITORY, REVISION
from whence.sdk.git import REVISION_PATTERN, canonical_repository


class _Pipeline(NamedTuple):
    revision: str
    """Variable that holds the commit."""
    repository: tuple[str, ...]
    """Variables whose values, joined by slashes, are the repository's address."""


_PIPELINES = (
    _Pipeline("GITHUB_SHA", ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")),
    _Pipeline("CI_COMMIT_SHA", ("CI_PROJECT_URL",)),  # GitLab
    _Pipeline("BUILDKITE_COMMIT", ("BUILDKITE_REPO",)),
    _Pipeline("CIRCLE_SHA1", ("CIRCLE_REPOSITORY_URL",)),
    _Pipeline("BUILD_SOURCEVERSION", ("BUILD_REPOSITORY_URI",)),  # Azure
    _Pipeline("BITBUCKET_COMMIT", ("BITBUCKET_GIT_HTTP_ORIGIN",)),
    _Pipeline("GIT_COMMIT", ("GIT_URL",)),  # Jenkins; last, since others may set it too
)


def pipeline_attributes(environ: Mapping[str, str]) -> dict[str, str]:
    """Revision and repository; empty outside of a pipeline, or where its commit is a name (``HEAD``) and no commit."""
    for pipeline in _PIPELINES:
        revision = environ.get(pipeline.revision, "").lower()
        if REVISION_PATTERN.fullmatch(revision):
            parts = [environ.get(name, "") for name in pipeline.repository]
            found = {REPOSITORY: canonical_repository("/".join(parts))} if all(parts) else {}
            return {REVISION: revision, **found}
    return {}
