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

from whence.model.names import INPUTS, MAX_REF_CHARS_ON_SPAN, MODELS, OUTPUTS
from whence.sdk.guard import lose

CALLERS = "callers"
"""The table of those who call this service, by the short id that they send along."""

MAX_EDGES = 4_096
MAX_CALLERS = 256
_REFERENCE = re.compile(r"""[!-"$-~]+\#[!-"$-?A-~]+(?:@[a-z][a-z0-9]*:[!-"$-?A-~]+)?""")
_CALLER = re.compile(r"[0-9a-f]{8}")


class Edge:
    """How often and when one reference was used. Times are Unix nanoseconds."""

    __slots__ = ("count", "errors", "first_ns", "last_ns", "ref", "span_id")

    def __init__(self, ref: str) -> None:
        self.ref = ref
        self.count = 0
        self.errors = 0
        self.span_id = -1
        """The span that was tagged last: another use under it need not look at its attributes."""
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


def used() -> Iterator[tuple[str, Edge]]:
    """(attribute or ``CALLERS``, record) of everything that was used at least once."""
    for attribute, table in _tables.items():
        for edge in tuple(table.values()):
            if edge.count > 0:
                yield attribute, edge


def on_first_use(listener: Callable[[], None]) -> None:
    """Call this, in the thread of the use, whenever something is used for the first time. It must return at once."""
    _listeners.append(listener)


def _new(attribute: str, ref: str) -> Edge:
    pattern = _CALLER if attribute == CALLERS else _REFERENCE
    if len(ref) > MAX_REF_CHARS_ON_SPAN or not pattern.fullmatch(ref):
        raise ValueError(
            f"expected namespace#name@kind:version of at most {MAX_REF_CHARS_ON_SPAN} characters, got {ref[:300]!r}"
        )
    edge = Edge(ref)
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
