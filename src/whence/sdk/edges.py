"""What this process has touched so far: one small record for each reference, fed by every use, sampled or not.

The hot path is one look-up in a dict by a string whose hash is cached; checking the reference and making the record
happen once. Counts are plain additions without a lock, so two threads at the same instant may count one.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator

from opentelemetry.context import Context

from whence.model.names import INPUTS, MAX_REF_CHARS_ON_SPAN, MODELS, OUTPUTS
from whence.sdk.guard import lose

CALLERS = "callers"
"""The table of those who call this service, by the short id that they send along."""

MAX_EDGES = 4_096
MAX_CALLERS = 256
_REFERENCE = re.compile(r"""[!-"$-~]+\#[!-"$-?A-~]+(?:@[a-z][a-z0-9]*:[!-"$-?A-~]+)?""")
_CALLER = re.compile(r"[0-9a-f]{8}")


def _nowhere() -> None:
    """No context yet."""


class Edge:
    """How often and when one reference was used. Times are Unix nanoseconds."""

    __slots__ = ("attribute", "count", "errors", "first_ns", "last_ns", "ref", "tagged")

    def __init__(self, attribute: str, ref: str) -> None:
        self.attribute = attribute
        """The span attribute that lists such references, or ``CALLERS``."""
        self.ref = ref
        self.count = 0
        self.errors = 0
        self.tagged: Callable[[], Context | None] = _nowhere
        """Gives the context whose span was tagged last, while it lives: another use in it has nothing to tag."""
        self.first_ns = self.last_ns = time.time_ns()

    def use(self) -> None:
        """Count one use, now."""
        self.count += 1
        self.last_ns = time.time_ns()


_tables: dict[str, dict[str, Edge]] = {MODELS: {}, INPUTS: {}, OUTPUTS: {}, CALLERS: {}}
_lock = threading.Lock()
_listeners: list[Callable[[], None]] = []


def edge_to(attribute: str, ref: str) -> Edge:
    """The record of a reference.

    Raises:
        ValueError: The reference breaks the grammar, or is longer than 256 characters.
    """
    known = _tables[attribute].get(ref)
    return known if known is not None else _new(attribute, ref)


def used() -> Iterator[Edge]:
    """Everything that was used at least once."""
    for table in _tables.values():
        yield from (edge for edge in tuple(table.values()) if edge.count > 0)


def on_first_use(listener: Callable[[], None]) -> None:
    """Call this, in the thread of the use, whenever something is used for the first time. It must return at once."""
    _listeners.append(listener)


def _new(attribute: str, ref: str) -> Edge:
    pattern = _CALLER if attribute == CALLERS else _REFERENCE
    if len(ref) > MAX_REF_CHARS_ON_SPAN or not pattern.fullmatch(ref):
        raise ValueError(
            f"expected namespace#name@kind:version of at most {MAX_REF_CHARS_ON_SPAN} characters, got {ref[:300]!r}"
        )
    edge = Edge(attribute, ref)
    with _lock:
        table = _tables[attribute]
        if len(table) >= (MAX_CALLERS if attribute == CALLERS else MAX_EDGES):
            lose("a reference that the table of edges has no room for", ref)
            return edge
        edge = table.setdefault(ref, edge)
    if attribute != CALLERS:  # strangers can make up callers, and are not to make us talk
        for listener in _listeners:
            listener()
    return edge


def _forget() -> None:
    """A forked child is an instance of its own, and has used nothing yet."""
    global _lock
    _lock = threading.Lock()
    for table in _tables.values():
        table.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
