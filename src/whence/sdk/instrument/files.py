"""References of files: by where they come from when their path tells, else by content.

A file up to 64 MB is known by its repository if DVC tracks it, else hashed whole. Of a larger one, 64 blocks are,
spread evenly: the same on every machine, and bounded in time; such a version is of kind ``fingerprint``. What was found
is kept while the file's size and time stay.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import quote

from whence.sdk.instrument.dvc import tracked

HUB_DATASETS = "https://huggingface.co/datasets"
_WHOLE_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 20
_MAX_KNOWN = 1_024
_SAFE = "!\"$&'()*+,-./:;<=>?[\\]^_`{|}~"
_REMOTE = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)/?([^?#]*)")
_HUB = re.compile(r".*/(models|datasets)--([^/]+)/snapshots/([0-9a-f]{40})(?:/.*)?")
_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}

_Stamp = tuple[int, int, int]
_known: dict[str, tuple[_Stamp, str]] = {}


def file_reference(source: object) -> str | None:
    """Reference of a local path or an address; None for anything else (a buffer, a pattern, a folder, a web page)."""
    if not isinstance(source, str | os.PathLike):
        return None
    text = os.fspath(source)
    if not isinstance(text, str):
        return None
    if "://" in text and not text.startswith("file://"):
        return _remote_reference(text)
    path = Path(text.removeprefix("file://"))
    return _local_reference(path.absolute()) if path.is_file() else None


def named(namespace: str, name: str, version: str = "") -> str:
    """A reference from plain text; ``version`` is ``kind:text``."""
    kind, _, text = version.partition(":")
    suffix = f"@{kind}:{quote(text, safe=_SAFE)}" if version else ""
    return f"{quote(namespace, safe=_SAFE + '@')}#{quote(name, safe=_SAFE)}{suffix}"


def hub_reference(path: Path) -> str | None:
    """Reference of a file or snapshot in a Hugging Face cache, by revision; None for any other path."""
    hub = _HUB.fullmatch(path.as_posix())
    if hub is None:
        return None
    kind, repository, revision = hub.groups()
    home = HUB_DATASETS if kind == "datasets" else "https://huggingface.co"
    return named(home, repository.replace("--", "/"), f"git:{revision}")


def table_reference(location: str, version: str) -> str:
    """Reference of one version of a table that is a folder, here or in an object store."""
    remote = None if location.startswith("file:") or "://" not in location else file_reference(location.rstrip("/"))
    if remote:
        return f"{remote}@{version}"
    path = Path(re.sub("^file:(//)?", "", location))
    return named("file", path.absolute().as_posix(), version)


def _local_reference(path: Path) -> str:
    return hub_reference(path) or _by_content(path)


def _remote_reference(address: str) -> str | None:
    match = _REMOTE.match(address)
    if match is None or match[1] in ("http", "https") or not match[3]:
        return None
    scheme, authority, key = match.groups()
    return named(f"{_SCHEMES.get(scheme, scheme)}://{authority.rpartition('@')[2]}", key)


def _by_content(path: Path) -> str:
    status = path.stat()
    stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
    known = _known.get(str(path))
    if known is not None and known[0] == stamp:
        return known[1]
    if len(_known) >= _MAX_KNOWN:
        _known.clear()
    found = _read_whole(path) if status.st_size <= _WHOLE_BYTES else _sampled(path, status.st_size)
    _known[str(path)] = (stamp, found)
    return found


def _read_whole(path: Path) -> str:
    recorded = tracked(path)
    if recorded is not None:
        return named(recorded.namespace, recorded.name, f"md5:{recorded.md5}")
    with path.open("rb") as file:
        return named("file", path.as_posix(), f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")


def _sampled(path: Path, size: int) -> str:
    digest = hashlib.sha256(str(size).encode())
    blocks = _WHOLE_BYTES // _BLOCK_BYTES
    with path.open("rb") as file:
        for block in range(blocks):
            file.seek(block * (size - _BLOCK_BYTES) // (blocks - 1))
            digest.update(file.read(_BLOCK_BYTES))
    return named("file", path.as_posix(), f"fingerprint:{digest.hexdigest()}")
