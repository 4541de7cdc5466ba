"""Package URLs, as far as a change needs them: which artifact, which version."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

_SCHEME = "pkg:"
_DIGEST = "sha256:"


class Artifact(NamedTuple):
    """Name and version of a package URL; version None when it names none."""

    name: str
    version: str | None


def parse_purl(text: str) -> Artifact | None:
    """Name and version of ``pkg:type/namespace/name@version?qualifiers#subpath``; None when it is no package URL.

    A digest comes without its ``sha256:``, as versions of services carry it.
    """
    if text[: len(_SCHEME)].lower() != _SCHEME:
        return None
    path = text[len(_SCHEME) :].partition("#")[0].partition("?")[0].strip("/")
    kind, _, rest = path.partition("/")
    last = rest.rpartition("/")[2]
    name, _, version = last.partition("@")
    if not kind or not name:
        return None
    return Artifact(unquote(name), unquote(version).removeprefix(_DIGEST) or None)
