"""Shortcuts of the fold tests: push everything, close everything, read rows by short names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from whence.collector.engine import Folder
from whence.fold import SpanFolder
from whence.model.delta import EdgeCounts, ExposureCounts, GraphDelta, OperationCounts
from whence.model.kinds import RelationType
from whence.model.spans import Span
from whence.testing.spans import START_NS

SECOND_NS = 1_000_000_000
NOW_NS = START_NS + 3_600 * SECOND_NS
IDLE_NS, TTL_NS = 5 * SECOND_NS, 60 * SECOND_NS
BUCKET_S = START_NS // SECOND_NS // 15 * 15


class Folders:
    """Which folder the tests fold with; ``conftest`` has every test run with each."""

    used: Callable[..., Folder] = SpanFolder


def new_folder(writer: str = "w", *, max_open_spans: int = 100_000) -> Folder:
    return Folders.used(writer=writer, idle_ns=IDLE_NS, ttl_ns=TTL_NS, max_open_spans=max_open_spans)


def closed(folder: Folder) -> GraphDelta:
    """Close all that is open and drain."""
    later_ns = NOW_NS + 10 * TTL_NS
    folder.expire(later_ns)
    return folder.drain(later_ns)


def fold(*spans: Span) -> GraphDelta:
    """All counts of some spans."""
    folder = new_folder()
    folder.push(spans, NOW_NS)
    return closed(folder)


def short(key: str) -> str:
    """A key without the namespace of the test services."""
    return key.removeprefix("otel://shop#").replace("@version:", "@")


def edges(delta: GraphDelta, kind: RelationType | None = None) -> dict[tuple[str, str, str], EdgeCounts]:
    """Counts by (dependent, relation, dependency); a test with one bucket and writer has one row for each."""
    return {
        (short(key.relation.src), key.relation.type.value, short(key.relation.dst)): counts
        for key, counts in delta.edges.items()
        if kind is None or key.relation.type is kind
    }


def calls(delta: GraphDelta) -> dict[tuple[str, str], EdgeCounts]:
    """Counts of calls by (caller, callee)."""
    return {(src, dst): counts for (src, _, dst), counts in edges(delta, RelationType.CALLS).items()}


def relations(delta: GraphDelta, kind: RelationType) -> set[tuple[str, str]]:
    return {(short(key.src), short(key.dst)) for key in delta.relations if key.type is kind}


def operations(delta: GraphDelta) -> dict[tuple[str, str], OperationCounts]:
    """Counts by (node, operation)."""
    return {(short(key.node), key.operation): counts for key, counts in delta.operations.items()}


def exposures(delta: GraphDelta) -> dict[tuple[str, str, str], ExposureCounts]:
    """Counts by (entered service, operation, touched node)."""
    return {(short(key.service), key.operation, short(key.node)): counts for key, counts in delta.exposures.items()}


def touched(delta: GraphDelta, service: str) -> dict[str, float]:
    """Requests into a service by the node that they touched; all of them under ``""``."""
    rows: dict[str, float] = {}
    for (entered, _, node), counts in exposures(delta).items():
        if entered == service:
            rows[node] = rows.get(node, 0.0) + counts.requests
    return rows


def by_clock(pushes: Iterable[tuple[int, list[Span]]], folder: Folder) -> None:
    """Push at clocks given in seconds after ``NOW_NS``."""
    for seconds, spans in pushes:
        folder.push(spans, NOW_NS + seconds * SECOND_NS)
