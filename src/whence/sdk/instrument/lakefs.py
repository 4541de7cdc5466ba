"""Objects of lakeFS, by commit: what a branch or tag stands for is asked when an object is opened."""

from __future__ import annotations

import re
import time
from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import named
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import reads, writes

_COMMIT = re.compile(r"[0-9a-f]{64}")
_MAX_KNOWN = 256
_FRESH_SECONDS = 10.0


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at readers as they are made, and at what writers send. What is written has no commit yet."""
    known: dict[tuple[str, str], tuple[float, str]] = {}

    def commit_of(stored: Any) -> str:
        """The commit that the object's reference stands for; asked once in ten seconds."""
        key = stored.repo, stored.ref
        now = time.monotonic()
        asked_at, commit = known.get(key, (0.0, ""))
        if not commit or now - asked_at > _FRESH_SECONDS:
            if len(known) >= _MAX_KNOWN:
                known.clear()
            commit = library.Reference(*key, client=stored._client).get_commit().id
            known[key] = now, commit
        return commit

    def opened(_result: None, _reader: Any, stored: Any, *_args: Any, **_kwargs: Any) -> None:
        commit = stored.ref if _COMMIT.fullmatch(stored.ref) else commit_of(stored)
        reads(named(f"lakefs://{stored.repo}", stored.path, f"lakefs:{commit}"))

    def uploaded(_result: Any, writer: Any) -> None:
        writes(named(f"lakefs://{writer._obj.repo}", writer._obj.path))

    patches.look_at(library.object.ObjectReader, "__init__", opened)
    patches.look_at(library.object.ObjectWriter, "_upload", uploaded)
