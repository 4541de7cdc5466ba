"""Having the server plan our statements before somebody waits for an answer.

A statement that the server has not met takes it up to seconds; the same again takes milliseconds. So each is run once
with arguments that match nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo4j import AsyncManagedTransaction

from whence.store.bolt.connection import run
from whence.store.bolt.cypher import write_statements
from whence.store.protocol import BucketQuery, ChangeQuery, ClosureQuery, ExposureQuery, SearchQuery

if TYPE_CHECKING:
    from whence.store.bolt.store import BoltStore

_NOTHING = ""
"""Key of no entity."""


async def warm_writes(tx: AsyncManagedTransaction) -> None:
    """Run every statement that writes, without rows."""
    for text in write_statements():
        await run(tx, text, {"rows": [], "keys": []})


async def warm_reads(store: BoltStore) -> None:
    """Run every kind of read once."""
    for environment in (None, _NOTHING):
        closure = ClosureQuery((_NOTHING,), 0, 1, environment)
        await store.upstream(closure)
        await store.downstream(closure)
        buckets = BucketQuery((_NOTHING,), 0, 1, environment)
        await store.edge_rows(buckets)
        await store.operation_rows(buckets)
        await store.exposure_rows(ExposureQuery(_NOTHING, 0, 1, environment=environment))
        await store.versions([_NOTHING], environment, None)
        for subjects in (None, (_NOTHING,)):
            await store.changes(ChangeQuery(0, 1, subjects, environment))
    await store.profiles([_NOTHING], 0, 1)
    await store.entity(_NOTHING)
    await store.named(_NOTHING)
    await store.search(SearchQuery("-"))
    await store.search(SearchQuery(base=_NOTHING))
    await store.change(_NOTHING)
    await store.document(_NOTHING, _NOTHING)
    await store.documents(_NOTHING, 1, None)
