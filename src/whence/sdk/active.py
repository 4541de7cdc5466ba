"""Which run of a batch job this code belongs to, and what that run has touched."""

from __future__ import annotations

import threading
from contextvars import Token
from typing import Any

from opentelemetry.context import Context, attach, create_key, get_value, set_value

from whence.sdk.guard import lose

MAX_REFERENCES = 1_000
_KEY = create_key("whence-run")

Facets = dict[str, dict[str, Any]]
"""OpenLineage facets of a dataset, by name."""


class Touched:
    """What one run read, used and wrote so far: facets by (attribute, reference)."""

    def __init__(self, job: str, run_id: str) -> None:
        self.job = job
        self.run_id = run_id
        self.references: dict[tuple[str, str], Facets] = {}

    def add(self, attribute: str, ref: str, facets: Facets | None = None) -> None:
        """Note one reference. Beyond 1,000 of them they are lost."""
        key = (attribute, ref)
        if key in self.references or len(self.references) < MAX_REFERENCES:
            self.references[key] = self.references.get(key, {}) | (facets or {})
        else:
            lose("a reference beyond what one run reports", ref)


running: list[Touched] = []
"""All runs of this process that have not ended. Empty in most processes, which makes looking for one cheap."""
_lock = threading.Lock()


def begin(touched: Touched) -> Token[Context]:
    """Make a run the current one."""
    with _lock:
        running.append(touched)
    return attach(set_value(_KEY, touched))


def end(touched: Touched) -> None:
    """Forget a run; the context is the caller's to restore."""
    with _lock:
        if touched in running:
            running.remove(touched)


def current() -> Touched | None:
    """The run that this code belongs to. A thread that lost its context belongs to the only run there is."""
    if not running:
        return None
    found = get_value(_KEY)
    if isinstance(found, Touched):
        return found
    return running[0] if len(running) == 1 else None
