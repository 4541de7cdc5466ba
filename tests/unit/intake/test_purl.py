"""Names and versions out of package URLs."""

from __future__ import annotations

import pytest

from whence.intake.purl import Artifact, parse_purl


@pytest.mark.parametrize(
    ("text", "artifact"),
    [
        ("pkg:oci/myapp@sha256%3A0b31?repository_url=ghcr.io%2Facme", Artifact("myapp", "0b31")),
        ("pkg:oci/myapp@sha256:0b31?repository_url=https://ghcr.io/acme", Artifact("myapp", "0b31")),
        ("pkg:golang/mygit.com/myorg/myapp@234fd4#sub/path", Artifact("myapp", "234fd4")),
        ("pkg:npm/%40acme/ranker@1.2.0", Artifact("ranker", "1.2.0")),
        ("pkg:npm/@acme/ranker", Artifact("ranker", None)),
        ("PKG:pypi/ranker", Artifact("ranker", None)),
        ("pkg://generic/ranker@1", Artifact("ranker", "1")),
    ],
)
def test_package_url_gives_name_and_version(text: str, artifact: Artifact) -> None:
    assert parse_purl(text) == artifact


@pytest.mark.parametrize("text", ["", "pkg:", "pkg:oci", "pkg:oci/", "pkg:oci/@1", "oci/myapp@1", "https://myapp"])
def test_other_text_is_no_package_url(text: str) -> None:
    assert parse_purl(text) is None
