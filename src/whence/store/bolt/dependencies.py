"""Who depends on whom in the whole graph, versions taken together."""

from __future__ import annotations

from neo4j import AsyncManagedTransaction

from whence.model.graph import Dependency
from whence.store.bolt.connection import run_collected
from whence.store.bolt.queries import DEPENDENCIES, FOREVER
from whence.store.bolt.rows import to_relation_key
from whence.store.protocol import DependencyQuery


async def dependencies(tx: AsyncManagedTransaction, query: DependencyQuery) -> list[Dependency]:
    """All that a query admits. Cost: a scan of all relations."""
    parameters = {
        "from_ns": query.from_ns,
        "to_ns": query.to_ns,
        "known_ns": FOREVER if query.known_ns is None else query.known_ns,
        "layers": sorted(query.layers),
        "types": sorted(query.types) or None,
        "environment": query.environment,
    }
    rows = await run_collected(tx, DEPENDENCIES, parameters)
    return [Dependency(*to_relation_key(row[:5]), *row[5:]) for row in rows]
