"""``EmbeddedStore``: the store contract on one SQLite file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from whence.errors import StoreUnavailable
from whence.model.change import Change
from whence.model.delta import Entity, Example, GraphDelta, Relation, RelationKey
from whence.model.graph import Dependency, Subgraph
from whence.model.profile import SnapshotProfile
from whence.model.rows import EdgeRows, ExposureRows, OperationRows
from whence.store.embedded import dependencies, records, rows, search, walks
from whence.store.embedded.compaction import compact
from whence.store.embedded.connections import Connections
from whence.store.embedded.ids import Terms
from whence.store.embedded.reading import Reading
from whence.store.embedded.rowids import RowIds
from whence.store.embedded.transactions import store_errors
from whence.store.embedded.writes import upsert
from whence.store.protocol import (
    BucketQuery,
    ChangeQuery,
    ClosureQuery,
    Compacted,
    DependencyQuery,
    Document,
    ExposureQuery,
    Page,
    SearchQuery,
)

READ_LIMIT_SECONDS = 20.0

T = TypeVar("T")

_COUNTS = """
SELECT 'entities', count(*) FROM entity UNION ALL SELECT 'relations', count(*) FROM relation
UNION ALL SELECT 'edge_rows', count(*) FROM edge_bucket
UNION ALL SELECT 'operation_rows', count(*) FROM operation_bucket
UNION ALL SELECT 'exposure_rows', count(*) FROM exposure_bucket
UNION ALL SELECT 'changes', count(*) FROM change UNION ALL SELECT 'profiles', count(*) FROM profile
UNION ALL SELECT 'documents', count(*) FROM document
"""


class EmbeddedStore:
    """A whole store in one file. Several processes may open the same file, also while one of them writes.

    The file must lie on a local disk: its write-ahead log needs memory that processes share.
    """

    def __init__(self, path: Path, *, read_limit_seconds: float = READ_LIMIT_SECONDS) -> None:
        self._path = path
        self._read_limit_seconds = read_limit_seconds
        self._connections: Connections | None = None
        self._terms = Terms()

    async def open(self) -> None:
        """See ``Store.open``. Raises ``ConfigError`` if the file can't be used."""
        self._connections = await asyncio.to_thread(Connections, self._path, self._read_limit_seconds)

    async def close(self) -> None:
        """See ``Store.close``. Waits for what runs."""
        connections, self._connections = self._connections, None
        if connections is not None:
            await asyncio.to_thread(connections.close)

    async def upsert(self, delta: GraphDelta) -> None:
        """See ``GraphWriter.upsert``."""
        await self._write(lambda ids: upsert(ids, delta))

    async def save(self, document: Document) -> None:
        """See ``DocumentWriter.save``."""
        await self._write(lambda ids: records.save_document(ids, document))

    async def delete(self, kind: str, document_id: str) -> None:
        """See ``DocumentWriter.delete``."""
        await self._write(lambda ids: records.delete_document(ids, kind, document_id))

    async def compact(self, after_s: int, before_s: int, width_s: int) -> Compacted | None:
        """See ``Compactable.compact``."""
        return await self._write(lambda ids: compact(ids, after_s, before_s, width_s))

    async def upstream(self, query: ClosureQuery) -> Subgraph:
        """See ``GraphReader.upstream``."""
        return await self._read(lambda reading: walks.walk(reading, walks.UPSTREAM, query))

    async def downstream(self, query: ClosureQuery) -> Subgraph:
        """See ``GraphReader.downstream``."""
        return await self._read(lambda reading: walks.walk(reading, walks.DOWNSTREAM, query))

    async def dependencies(self, query: DependencyQuery) -> Sequence[Dependency]:
        """See ``GraphReader.dependencies``."""
        return await self._read(lambda reading: dependencies.dependencies(reading, query))

    async def edge_rows(self, query: BucketQuery) -> EdgeRows:
        """See ``GraphReader.edge_rows``."""
        return await self._read(lambda reading: rows.edge_rows(reading, query))

    async def examples(self, nodes: Sequence[str]) -> Mapping[RelationKey, Example]:
        """See ``GraphReader.examples``."""
        return await self._read(lambda reading: rows.examples(reading, nodes))

    async def operation_rows(self, query: BucketQuery) -> OperationRows:
        """See ``GraphReader.operation_rows``."""
        return await self._read(lambda reading: rows.operation_rows(reading, query))

    async def exposure_rows(self, query: ExposureQuery) -> ExposureRows:
        """See ``GraphReader.exposure_rows``."""
        return await self._read(lambda reading: rows.exposure_rows(reading, query))

    async def changes(self, query: ChangeQuery) -> Page[Change]:
        """See ``GraphReader.changes``."""
        return await self._read(lambda reading: records.list_changes(reading.connection, query))

    async def change(self, change_id: str) -> Change | None:
        """See ``GraphReader.change``."""
        return await self._read(lambda reading: records.find_change(reading.connection, change_id))

    async def versions(self, bases: Sequence[str], environment: str | None, known_ns: int | None) -> Sequence[Relation]:
        """See ``GraphReader.versions``."""
        return await self._read(lambda reading: rows.version_relations(reading, bases, environment, known_ns))

    async def profiles(self, datasets: Sequence[str], before_ns: int, limit: int) -> Sequence[SnapshotProfile]:
        """See ``GraphReader.profiles``."""
        return await self._read(lambda reading: records.list_profiles(reading.connection, datasets, before_ns, limit))

    async def entity(self, key: str) -> Entity | None:
        """See ``GraphReader.entity``."""
        return await self._read(lambda reading: search.find_entity(reading, key))

    async def entities(self, keys: Sequence[str]) -> Sequence[Entity]:
        """See ``GraphReader.entities``."""
        return await self._read(lambda reading: tuple(reading.entities(list(reading.ids(keys).values())).values()))

    async def named(self, name: str) -> tuple[Entity, ...]:
        """See ``GraphReader.named``."""
        return await self._read(lambda reading: search.named(reading, name))

    async def nearest(self, name: str, limit: int) -> tuple[str, ...]:
        """See ``GraphReader.nearest``."""
        return await self._read(lambda reading: search.nearest(reading, name, limit))

    async def search(self, query: SearchQuery) -> Page[Entity]:
        """See ``GraphReader.search``."""
        return await self._read(lambda reading: search.search(reading, query))

    async def document(self, kind: str, document_id: str) -> Document | None:
        """See ``GraphReader.document``."""
        return await self._read(lambda reading: records.find_document(reading.connection, kind, document_id))

    async def documents(self, kind: str, limit: int, cursor: str | None) -> Page[Document]:
        """See ``GraphReader.documents``."""
        return await self._read(lambda reading: records.list_documents(reading.connection, kind, limit, cursor))

    async def ping(self) -> None:
        """See ``GraphReader.ping``."""
        await self._read(lambda reading: reading.rows("PRAGMA schema_version", ()))

    async def counts(self) -> dict[str, int]:
        """See ``GraphReader.counts``. Cost: a scan of every table."""
        return dict(await self._read(lambda reading: reading.rows(_COUNTS, ())))

    async def _write(self, work: Callable[[RowIds], T]) -> T:
        connections = self._opened()

        def write() -> T:
            with store_errors():
                return work(connections.ids)

        return await asyncio.get_running_loop().run_in_executor(connections.writing, write)

    async def _read(self, work: Callable[[Reading], T]) -> T:
        connections = self._opened()

        def read() -> T:
            with connections.reader() as connection:
                self._terms.refresh(connection)
                return work(Reading(connection, self._terms))

        return await asyncio.get_running_loop().run_in_executor(connections.reading, read)

    def _opened(self) -> Connections:
        if self._connections is None:
            raise StoreUnavailable("the store is not open")
        return self._connections
