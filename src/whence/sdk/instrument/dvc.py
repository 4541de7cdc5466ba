"""Files that DVC tracks, by the repository and the digest that its ``.dvc`` files and ``dvc.lock`` record.

What is recorded counts only if it is what lies there: a file that was changed since is known by its content. Of a
tracked folder, DVC's cache tells which files it holds.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from whence.sdk.git import git_directory, origin

_ITEM = re.compile(r"^ *- ", re.MULTILINE)
_MD5 = re.compile(r"^ *md5: *([0-9a-f]{32}(?:\.dir)?) *$", re.MULTILINE)
_PATH = re.compile(r"^ *path: *(['\"]?)(.+)\1 *$", re.MULTILINE)


class Tracked(NamedTuple):
    """What DVC recorded of the file, or of the folder that holds it."""

    namespace: str
    name: str
    md5: str
    """With ``.dir`` for a folder."""


def tracked(path: Path) -> Tracked | None:
    """What DVC knows of an absolute path; None where it tracks none, or something else than lies there."""
    root = _repository(path.parent)
    if root is None:
        return None
    for place in (path, *path.parents):
        if place == root:
            return None
        for md5 in _recorded(place, root):
            if _digest(path) == (md5 if place == path else _in_folder(root, md5, path.relative_to(place))):
                return Tracked(*_name(place), md5)
    return None


@functools.lru_cache(1_024)
def _repository(folder: Path) -> Path | None:
    """The nearest folder that DVC was set up in."""
    return next((place for place in (folder, *folder.parents) if (place / ".dvc").is_dir()), None)


def _recorded(place: Path, root: Path) -> Iterator[str]:
    """Digests that are recorded for a file or folder: in a file of its own, or by the pipelines above it."""
    yield from _entries(place.with_name(f"{place.name}.dvc"), place)
    for folder in place.parents:
        yield from _entries(folder / "dvc.lock", place)
        if folder == root:
            return


def _entries(record: Path, place: Path) -> Iterator[str]:
    if not record.is_file():
        return
    for item in _ITEM.split(record.read_text())[1:]:
        md5, path = _MD5.search(item), _PATH.search(item)
        if md5 and path and record.parent / path[2] == place:
            yield md5[1]


def _in_folder(root: Path, md5: str, inside: Path) -> str | None:
    """Digest that DVC's cache keeps for a file of a folder."""
    listing = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    if not listing.is_file():
        return None
    entries = json.loads(listing.read_text())
    return next((one["md5"] for one in entries if one["relpath"] == inside.as_posix()), None)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _name(place: Path) -> tuple[str, str]:
    """Namespace and name: of the repository where that has an origin, else of the file."""
    git = git_directory(place.parent)
    remote = origin(git) if git else None
    if remote is None:
        return "file", place.as_posix()
    checkout = next(folder for folder in place.parents if (folder / ".git").exists())
    return f"git+{remote}", place.relative_to(checkout).as_posix()
