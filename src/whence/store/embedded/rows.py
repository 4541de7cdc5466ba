"""Rows of counts in a window.

How this works: the width of a bucket is a setting of who folds, so a statement first finds which starts there are, by
seeking from each to the next (``moment``). Then it seeks once for each start and each relation or node wanted.
"""

# Statements are put together from constants of this file alone; values are parameters.
# ruff: noqa: S608

from __future__ import annotations

import json
from collections.abc import Sequence

from whence.model.delta import ALL_REQUESTS, Example, Relation, RelationKey
from whence.model.environments import UNNAMED
from whence.model.kinds import RelationType
from whence.model.rows import EdgeRows, ExposureRows, Names, OperationRows
from whence.store.embedded.counts import ALL_REQUESTS_ID
from whence.store.embedded.reading import Reading
from whence.store.protocol import BucketQuery, ExposureQuery


def _moments(table: str) -> str:
    return f"""moment(start) AS (
  SELECT min(start) FROM {table} WHERE start >= :from AND start < :to
  UNION ALL
  SELECT (SELECT min(later.start) FROM {table} later WHERE later.start > moment.start AND later.start < :to)
  FROM moment WHERE moment.start IS NOT NULL)"""


_KNOWN = "(:known IS NULL OR (SELECT w.known FROM writer w WHERE w.id = b.writer) <= :known)"

RELATIONS_AMONG = """
SELECT r.id, r.src, r.type, r.dst, r.environment, r.layer
FROM json_each(:nodes) j CROSS JOIN relation r ON r.src = j.value
WHERE r.dst IN (SELECT value FROM json_each(:nodes))
  AND (:environment IS NULL OR r.environment = :environment OR r.type IN (SELECT value FROM json_each(:lasting)))
"""
EDGE_ROWS = f"""
WITH RECURSIVE {_moments("edge_bucket")},
wanted(id) AS MATERIALIZED (SELECT value FROM json_each(:wanted))
SELECT b.relation, b.start, b.calls, b.errors, b.origin_errors, iif(:latency, b.latency, x''), b.gap
FROM moment CROSS JOIN wanted CROSS JOIN edge_bucket b ON b.start = moment.start AND b.relation = wanted.id
WHERE {_KNOWN}
"""
EXAMPLES = """
SELECT e.at, e.trace, r.src, r.type, r.dst, r.environment, r.layer
FROM json_each(:nodes) j CROSS JOIN relation r ON r.src = j.value CROSS JOIN example e ON e.relation = r.id
WHERE r.dst IN (SELECT value FROM json_each(:nodes))
"""
OPERATION_ROWS = f"""
WITH RECURSIVE {_moments("operation_bucket")},
wanted(id) AS MATERIALIZED (SELECT value FROM json_each(:wanted))
SELECT b.node, b.operation, b.start, b.calls, b.errors, b.origin_errors, b.error_logs, b.poor, b.self_time
FROM moment CROSS JOIN wanted CROSS JOIN operation_bucket b ON b.start = moment.start AND b.node = wanted.id
WHERE (:environment IS NULL OR b.environment = :environment) AND {_KNOWN}
"""
EXPOSURE_ROWS = f"""
WITH RECURSIVE {_moments("exposure_bucket")}
SELECT b.operation, b.node, b.start, b.requests, b.requests_sq, b.errors, b.poor, b.latency
FROM moment CROSS JOIN exposure_bucket b ON b.start = moment.start AND b.service = :service
WHERE (:operation IS NULL OR b.operation = :operation) AND (:environment IS NULL OR b.environment = :environment)
  AND (:nodes IS NULL OR b.node IN (SELECT value FROM json_each(:nodes))) AND {_KNOWN}
"""
VERSIONS = """
SELECT r.src, r.type, r.dst, r.environment, r.layer, r.first, r.last, r.until, r.known
FROM json_each(:bases) j CROSS JOIN relation r ON r.src = j.value AND r.type = :type
WHERE (:environment IS NULL OR r.environment IN (:environment, :unnamed)) AND (:known IS NULL OR r.known <= :known)
"""


def edge_rows(reading: Reading, query: BucketQuery) -> EdgeRows:
    """Counts of the relations among some nodes."""
    nodes = {node: key for key, node in reading.ids(query.nodes).items()}
    among = {
        "nodes": json.dumps(list(nodes)),
        "environment": reading.environment_id(query.environment),
        "lasting": reading.lasting_types(),
    }
    relations = {row[0]: reading.relation_key(row[1:], nodes) for row in reading.rows(RELATIONS_AMONG, among)}
    window = {"from": query.from_s, "to": query.to_s, "known": query.known_ns}
    relation, *counts = reading.columns(
        EDGE_ROWS, {**window, "wanted": json.dumps(sorted(relations)), "latency": query.latency}
    )
    return EdgeRows.counted(Names.by_id(relation, relations), counts)


def examples(reading: Reading, keys: Sequence[str]) -> dict[RelationKey, Example]:
    """The latest known trace over each relation among some nodes."""
    nodes = {node: key for key, node in reading.ids(keys).items()}
    rows = reading.rows(EXAMPLES, {"nodes": json.dumps(list(nodes))})
    return {reading.relation_key(row[2:], nodes): Example(*row[:2]) for row in rows}


def operation_rows(reading: Reading, query: BucketQuery) -> OperationRows:
    """What some nodes did by themselves."""
    nodes = {node: key for key, node in reading.ids(query.nodes).items()}
    values = {
        "from": query.from_s,
        "to": query.to_s,
        "known": query.known_ns,
        "environment": reading.environment_id(query.environment),
        "wanted": json.dumps(sorted(nodes)),
    }
    node, operation, *counts = reading.columns(OPERATION_ROWS, values)
    return OperationRows.counted(Names.by_id(node, nodes), reading.terms.column(operation), counts)


def exposure_rows(reading: Reading, query: ExposureQuery) -> ExposureRows:
    """Requests into a service by what they touched."""
    nodes = None if query.nodes is None else [ALL_REQUESTS_ID, *reading.ids(query.nodes).values()]
    values = {
        "from": query.from_s,
        "to": query.to_s,
        "known": query.known_ns,
        "environment": reading.environment_id(query.environment),
        "service": reading.ids([query.service]).get(query.service),
        "operation": None if query.operation is None else reading.terms.id(query.operation),
        "nodes": None if nodes is None else json.dumps(nodes),
    }
    operation, node, *counts = reading.columns(EXPOSURE_ROWS, values)
    keys = reading.keys(node) | {ALL_REQUESTS_ID: ALL_REQUESTS}
    names = (Names.only(query.service, len(node)), reading.terms.column(operation), Names.by_id(node, keys))
    return ExposureRows.counted(names, counts)


def version_relations(
    reading: Reading, bases: Sequence[str], environment: str | None, known_ns: int | None
) -> list[Relation]:
    """The relations from entities to their versions, over all time."""
    values = {
        "bases": json.dumps(list(reading.ids(bases).values())),
        "type": reading.terms.id(RelationType.HAS_VERSION),
        "environment": reading.environment_id(environment),
        "unnamed": reading.terms.id(UNNAMED),
        "known": known_ns,
    }
    rows = reading.rows(VERSIONS, values)
    keys = reading.keys(end for src, _, dst, *_ in rows for end in (src, dst))
    return [Relation(reading.relation_key(row[:5], keys), *row[5:]) for row in rows]
