"""``BoltStore``: the store contract on Neo4j 5 or Aura, through the official driver.

Decision: a delta is one transaction, so it is written whole or not at all, and because every merge is idempotent the
answer to an unknown outcome is to send it again. Only a delta of more than ``MAX_TRANSACTION_ROWS`` becomes several
transactions: the server holds the changes of one in memory until the commit, 100,000 rows for each gigabyte of heap,
and would refuse a larger one for ever. If that is interrupted, the rest is missing until the delta is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from whence.model.change import Change
from whence.model.delta import ALL_REQUESTS, Entity, Example, GraphDelta, Relation, RelationKey
from whence.model.graph import Dependency, Subgraph
from whence.model.profile import SnapshotProfile
from whence.model.rows import EdgeRows, ExposureRows, OperationRows
from whence.store.bolt import cypher, dependencies, finds, queries
from whence.store.bolt.connection import DEFAULT_LIMITS, BoltLimits, Connection, run, run_collected
from whence.store.bolt.parts import parts
from whence.store.bolt.queries import FOREVER
from whence.store.bolt.rows import (
    to_change,
    to_document,
    to_edge_rows,
    to_entity,
    to_example,
    to_exposure_rows,
    to_operation_rows,
    to_profile,
    to_relation,
    to_relation_key,
)
from whence.store.bolt.schema import hash63
from whence.store.bolt.walks import Walk
from whence.store.bolt.warm import warm_reads, warm_writes
from whence.store.bolt.writer import write_delta
from whence.store.protocol import (
    BucketQuery,
    ChangeQuery,
    ClosureQuery,
    DependencyQuery,
    Document,
    ExposureQuery,
    Page,
    SearchQuery,
)

MAX_TRANSACTION_ROWS = 20_000

_COUNTED = (
    "entities",
    "relations",
    "edge_rows",
    "operation_rows",
    "exposure_rows",
    "changes",
    "profiles",
    "documents",
)


class BoltStore:
    """A whole store in a Neo4j database. Any number of processes may share one."""

    def __init__(
        self,
        uri: str,
        *,
        user: str = "neo4j",
        password: str = "",
        database: str | None = None,
        limits: BoltLimits = DEFAULT_LIMITS,
    ) -> None:
        """Keep what is needed to connect; nothing happens before ``open``.

        Args:
            uri: ``bolt://`` or ``neo4j://`` address, also in the encrypted forms ``+s`` and ``+ssc``.
            user: Name to sign in with.
            password: Empty for a database that asks nobody.
            database: None for the user's home database.
            limits: How long things may take.
        """
        self._connection = Connection(uri, (user, password) if password else None, database, limits)

    async def open(self) -> None:
        """See ``Store.open``. Takes some seconds on a server that has not planned our queries yet.

        Raises:
            ConfigError: Address, password or database name are wrong.
            StoreUnavailable: Nothing answers.
        """
        try:
            await self._connection.open(cypher.schema_statements())
            await self._connection.write(warm_writes)
            await warm_reads(self)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See ``Store.close``."""
        await self._connection.close()

    async def upsert(self, delta: GraphDelta) -> None:
        """See ``GraphWriter.upsert``, and above for deltas of more than ``MAX_TRANSACTION_ROWS``."""
        for part in parts(delta, MAX_TRANSACTION_ROWS):
            await self._connection.write(partial(write_delta, delta=part))

    async def save(self, document: Document) -> None:
        """See ``DocumentWriter.save``."""
        parameters = {name: getattr(document, name) for name in ("kind", "id", "created_ns", "body")}
        await self._connection.write(lambda tx: run(tx, queries.SAVE_DOCUMENT, parameters))

    async def delete(self, kind: str, document_id: str) -> None:
        """See ``DocumentWriter.delete``."""
        parameters = {"kind": kind, "id": document_id}
        await self._connection.write(lambda tx: run(tx, queries.DELETE_DOCUMENT, parameters))

    async def upstream(self, query: ClosureQuery) -> Subgraph:
        """See ``GraphReader.upstream``."""
        return await self._connection.read(Walk(query, downstream=False).read)

    async def downstream(self, query: ClosureQuery) -> Subgraph:
        """See ``GraphReader.downstream``."""
        return await self._connection.read(Walk(query, downstream=True).read)

    async def dependencies(self, query: DependencyQuery) -> Sequence[Dependency]:
        """See ``GraphReader.dependencies``."""
        return await self._connection.read(lambda tx: dependencies.dependencies(tx, query))

    async def edge_rows(self, query: BucketQuery) -> EdgeRows:
        """See ``GraphReader.edge_rows``."""
        parameters = {
            **_window(query),
            "nodes": sorted(set(query.nodes)),
            "latency": query.latency,
            "no_latency": b"",
        }
        return to_edge_rows(await self._read_collected(queries.EDGE_ROWS, parameters))

    async def examples(self, nodes: Sequence[str]) -> Mapping[RelationKey, Example]:
        """See ``GraphReader.examples``."""
        rows = await self._read_collected(queries.EXAMPLES, {"nodes": sorted(set(nodes))})
        return {to_relation_key(row[:5]): to_example(row[5]) for row in rows}

    async def operation_rows(self, query: BucketQuery) -> OperationRows:
        """See ``GraphReader.operation_rows``."""
        nodes = {hash63(node): node for node in query.nodes}
        found = await self._read_collected(queries.OPERATION_ROWS, {**_window(query), "owners": sorted(nodes)})
        return to_operation_rows(found, nodes)

    async def exposure_rows(self, query: ExposureQuery) -> ExposureRows:
        """See ``GraphReader.exposure_rows``."""
        parameters = {
            **_window(query),
            "owner": hash63(query.service),
            "operation": query.operation,
            "nodes": None if query.nodes is None else [ALL_REQUESTS, *query.nodes],
        }
        return to_exposure_rows(await self._read_collected(queries.EXPOSURE_ROWS, parameters), query.service)

    async def changes(self, query: ChangeQuery) -> Page[Change]:
        """See ``GraphReader.changes``."""
        return await self._connection.read(lambda tx: finds.list_changes(tx, query))

    async def change(self, change_id: str) -> Change | None:
        """See ``GraphReader.change``."""
        rows = await self._read(queries.CHANGE, {"id": change_id})
        return to_change(rows[0]) if rows else None

    async def versions(self, bases: Sequence[str], environment: str | None, known_ns: int | None) -> Sequence[Relation]:
        """See ``GraphReader.versions``."""
        parameters = {
            "bases": sorted(set(bases)),
            "environment": environment,
            "known_ns": FOREVER if known_ns is None else known_ns,
        }
        return [to_relation(row) for row in await self._read_collected(queries.VERSIONS, parameters)]

    async def profiles(self, datasets: Sequence[str], before_ns: int, limit: int) -> Sequence[SnapshotProfile]:
        """See ``GraphReader.profiles``."""
        parameters = {"datasets": sorted(set(datasets)), "before_ns": before_ns, "limit": limit}
        return [to_profile(row) for row in await self._read(queries.PROFILES_BEFORE, parameters)]

    async def entity(self, key: str) -> Entity | None:
        """See ``GraphReader.entity``."""
        rows = await self._read(queries.ENTITY, {"key": key})
        return to_entity(rows[0]) if rows else None

    async def entities(self, keys: Sequence[str]) -> Sequence[Entity]:
        """See ``GraphReader.entities``."""
        rows = await self._read_collected(queries.ENTITIES_BY_KEY, {"keys": sorted(set(keys))})
        return tuple(map(to_entity, rows))

    async def named(self, name: str) -> tuple[Entity, ...]:
        """See ``GraphReader.named``."""
        return await self._connection.read(lambda tx: finds.named(tx, name))

    async def nearest(self, name: str, limit: int) -> tuple[str, ...]:
        """See ``GraphReader.nearest``. Cost: a scan of all entities."""
        return await self._connection.read(lambda tx: finds.nearest(tx, name, limit))

    async def search(self, query: SearchQuery) -> Page[Entity]:
        """See ``GraphReader.search``."""
        return await self._connection.read(lambda tx: finds.search(tx, query))

    async def document(self, kind: str, document_id: str) -> Document | None:
        """See ``GraphReader.document``."""
        rows = await self._read(queries.DOCUMENT, {"kind": kind, "id": document_id})
        return to_document(rows[0]) if rows else None

    async def documents(self, kind: str, limit: int, cursor: str | None) -> Page[Document]:
        """See ``GraphReader.documents``."""
        return await self._connection.read(lambda tx: finds.list_documents(tx, kind, limit, cursor))

    async def ping(self) -> None:
        """See ``GraphReader.ping``."""
        await self._connection.ping()

    async def counts(self) -> dict[str, int]:
        """See ``GraphReader.counts``."""
        (numbers,) = await self._read(queries.COUNTS, {})
        return dict(zip(_COUNTED, numbers, strict=True))

    async def _read_collected(self, text: str, parameters: Mapping[str, Any]) -> list[list[Any]]:
        return await self._connection.read(lambda tx: run_collected(tx, text, parameters))

    async def _read(self, text: str, parameters: Mapping[str, Any]) -> list[list[Any]]:
        return await self._connection.read(lambda tx: run(tx, text, parameters))


def _window(query: BucketQuery | ExposureQuery) -> dict[str, Any]:
    return {
        "from_s": query.from_s,
        "to_s": query.to_s,
        "environment": query.environment,
        "known_ns": FOREVER if query.known_ns is None else query.known_ns,
    }
