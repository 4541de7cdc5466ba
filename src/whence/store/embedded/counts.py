"""Upsert of counts: of two values of one row the one with more spans stays, ties decided by the columns in order.

What a writer counted for a time of its that compaction has folded already is not taken: it may be in there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from whence.model.delta import (
    ALL_REQUESTS,
    EdgeCounts,
    EdgeKey,
    ExposureCounts,
    ExposureKey,
    OperationCounts,
    OperationKey,
)
from whence.model.times import NS_PER_SECOND
from whence.store.embedded.rowids import RowIds

ALL_REQUESTS_ID = 0
"""Stands for ``ALL_REQUESTS`` in place of an entity's id; SQLite gives out ids from 1."""

_UPSERT_EDGE = """
INSERT INTO edge_bucket(start, relation, writer, spans, calls, errors, origin_errors, latency, gap)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
WHERE ?1 >= (SELECT folded FROM writer WHERE id = ?3)
ON CONFLICT(start, relation, writer) DO UPDATE SET
  spans = excluded.spans, calls = excluded.calls, errors = excluded.errors, origin_errors = excluded.origin_errors,
  latency = excluded.latency, gap = excluded.gap
WHERE (excluded.spans, excluded.calls, excluded.errors, excluded.origin_errors, excluded.latency, excluded.gap)
    > (spans, calls, errors, origin_errors, latency, gap)
"""
_UPSERT_OPERATION = """
INSERT INTO operation_bucket(
  start, node, operation, environment, writer, spans, calls, errors, origin_errors, error_logs, poor, self_time)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
WHERE ?1 >= (SELECT folded FROM writer WHERE id = ?5)
ON CONFLICT(start, node, operation, environment, writer) DO UPDATE SET
  spans = excluded.spans, calls = excluded.calls, errors = excluded.errors, origin_errors = excluded.origin_errors,
  error_logs = excluded.error_logs, poor = excluded.poor, self_time = excluded.self_time
WHERE (excluded.spans, excluded.calls, excluded.errors, excluded.origin_errors, excluded.error_logs, excluded.poor,
       excluded.self_time)
    > (spans, calls, errors, origin_errors, error_logs, poor, self_time)
"""
_UPSERT_EXPOSURE = """
INSERT INTO exposure_bucket(
  start, service, operation, environment, node, writer, spans, requests, requests_sq, errors, poor, latency)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
WHERE ?1 >= (SELECT folded FROM writer WHERE id = ?6)
ON CONFLICT(start, service, operation, environment, node, writer) DO UPDATE SET
  spans = excluded.spans, requests = excluded.requests, requests_sq = excluded.requests_sq, errors = excluded.errors,
  poor = excluded.poor, latency = excluded.latency
WHERE (excluded.spans, excluded.requests, excluded.requests_sq, excluded.errors, excluded.poor, excluded.latency)
    > (spans, requests, requests_sq, errors, poor, latency)
"""


def upsert_edges(connection: sqlite3.Connection, ids: RowIds, rows: Mapping[EdgeKey, EdgeCounts]) -> None:
    """Merge counts of relations."""
    table = (
        (start_s, ids.relation(relation, start_s * NS_PER_SECOND), ids.writer(writer), *counts)
        for (relation, start_s, writer), counts in rows.items()
    )
    connection.executemany(_UPSERT_EDGE, sorted(table))


def upsert_operations(
    connection: sqlite3.Connection, ids: RowIds, rows: Mapping[OperationKey, OperationCounts]
) -> None:
    """Merge counts of what nodes did by themselves."""
    table = (
        (
            key.start_s,
            ids.entity(key.node, key.start_s * NS_PER_SECOND),
            ids.term(key.operation),
            ids.term(key.environment),
            ids.writer(key.writer),
            *counts,
        )
        for key, counts in rows.items()
    )
    connection.executemany(_UPSERT_OPERATION, sorted(table))


def upsert_exposures(connection: sqlite3.Connection, ids: RowIds, rows: Mapping[ExposureKey, ExposureCounts]) -> None:
    """Merge counts of requests by what they touched."""
    table = (
        (
            key.start_s,
            ids.entity(key.service, key.start_s * NS_PER_SECOND),
            ids.term(key.operation),
            ids.term(key.environment),
            ALL_REQUESTS_ID if key.node == ALL_REQUESTS else ids.entity(key.node, key.start_s * NS_PER_SECOND),
            ids.writer(key.writer),
            *counts,
        )
        for key, counts in rows.items()
    )
    connection.executemany(_UPSERT_EXPOSURE, sorted(table))
