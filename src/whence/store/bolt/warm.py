"""Having the server plan our statements before somebody waits for an answer.

A statement that the server has not met takes it up to seconds; the same again takes milliseconds. So one of each kind
is run with arguments that match nothing.
"""

from __future__ import annotations

from neo4j import AsyncManagedTransaction

from whence.model.kinds import RelationType
from whence.store.bolt import cypher, schema
from whence.store.bolt.connection import run
from whence.store.protocol import BucketQuery, ChangeQuery, ClosureQuery, ExposureQuery, GraphReader, SearchQuery

_NOTHING = "-"
"""Key of no entity."""

_WRITES = (
    cypher.lock_nodes(schema.ENTITIES),
    cypher.write_nodes(schema.ENTITIES),
    *map(cypher.merge_counts, schema.COUNT_TABLES),
    cypher.merge_relations(RelationType.CALLS),
)
"""Statements of nearly every upsert."""


async def warm_writes(tx: AsyncManagedTransaction) -> None:
    """Write nothing, in every way."""
    for text in _WRITES:
        await run(tx, text, {"keys": [], "rows": []})


async def warm_reads(reader: GraphReader) -> None:
    """Ask what an investigation asks."""
    closure = ClosureQuery((_NOTHING,), 0, 1, _NOTHING)
    await reader.upstream(closure)
    await reader.downstream(closure)
    buckets = BucketQuery((_NOTHING,), 0, 1, _NOTHING)
    await reader.edge_rows(buckets)
    await reader.operation_rows(buckets)
    await reader.exposure_rows(ExposureQuery(_NOTHING, 0, 1, environment=_NOTHING))
    await reader.changes(ChangeQuery(0, 1, (_NOTHING,), _NOTHING))
    await reader.versions([_NOTHING], _NOTHING, None)
    await reader.profiles([_NOTHING], 0, 1)
    await reader.entity(_NOTHING)
    await reader.named(_NOTHING)
    await reader.search(SearchQuery(_NOTHING))
