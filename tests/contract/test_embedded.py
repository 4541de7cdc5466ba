"""The embedded store under the contract suite, and what is its own: the file, its version, its limits."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.contract.base import MakeStore, buckets, closure
from tests.contract.suite import GraphStoreContract
from whence.errors import ConfigError, QueryTimeout, StoreConflict, StoreError, StoreUnavailable
from whence.model.delta import GraphDelta
from whence.store.embedded import EmbeddedStore
from whence.store.embedded.ids import IdCache
from whence.store.embedded.schema import VERSION, require_sqlite
from whence.store.embedded.transactions import translated
from whence.store.protocol import SearchQuery, Store
from whence.testing.graphs import at, change, connected, delta, edge, entity, key, link, relation

A, B = key("a"), key("b")
A_CALLS_B = link(A, B)


class TestEmbeddedStore(GraphStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: EmbeddedStore(tmp_path / "whence.db")

    async def settle(self, store: Store) -> None:
        """What was committed is seen at once."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "whence.db"


async def test_open_new_file_creates_its_folder(path: Path) -> None:
    store = EmbeddedStore(path)
    await store.open()
    await store.ping()
    await store.close()


async def test_open_file_of_a_later_version_is_refused_and_left_alone(path: Path) -> None:
    store = EmbeddedStore(path)
    await store.open()
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(ConfigError, match="later version"):
        await EmbeddedStore(path).open()


async def test_open_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs(a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="something else"):
        await EmbeddedStore(path).open()
    assert path.read_bytes() == before


async def test_open_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        await EmbeddedStore(path).open()


async def test_open_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ConfigError, match="data"):
        await EmbeddedStore(tmp_path / "data" / "whence.db").open()


def test_sqlite_older_than_needed_is_refused() -> None:
    require_sqlite((3, 38, 0))
    with pytest.raises(ConfigError, match=r"3\.37\.2.*3\.38\.0"):
        require_sqlite((3, 37, 2))


async def test_open_by_several_stores_at_once_creates_one_schema(path: Path) -> None:
    stores = [EmbeddedStore(path) for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    await asyncio.gather(*(store.upsert(delta(entity(key(str(i))))) for i, store in enumerate(stores)))
    assert (await stores[0].counts())["entities"] == 4
    await asyncio.gather(*(store.close() for store in stores))


async def test_calls_on_a_store_that_is_not_open_are_unavailable(path: Path) -> None:
    store = EmbeddedStore(path)
    with pytest.raises(StoreUnavailable):
        await store.ping()
    await store.open()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.upsert(delta(entity(A)))


async def test_close_waits_for_what_runs(path: Path) -> None:
    store = EmbeddedStore(path)
    await store.open()
    upserts = [asyncio.ensure_future(store.upsert(delta(entity(key(str(i)))))) for i in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*upserts)
    await store.open()
    assert (await store.counts())["entities"] == 20
    await store.close()


async def test_upsert_that_fails_midway_leaves_nothing_and_later_ones_are_whole(path: Path) -> None:
    store = EmbeddedStore(path)
    await store.open()
    facts = (*connected(relation(A_CALLS_B)), edge(A_CALLS_B))
    with pytest.raises(StoreError, match="can't hold"):
        await store.upsert(delta(*facts, change("c", A, effective_ns=2**70)))
    assert set((await store.counts()).values()) == {0}
    await store.upsert(delta(entity(key("first, to take the id that was given back"))))
    await store.upsert(delta(*facts))
    assert [row.relation for row in await store.edge_rows(buckets(A, B))] == [A_CALLS_B]
    assert (await store.upstream(closure(A))).depth == {A: 0, B: 1}
    await store.close()


async def test_read_beyond_its_limit_times_out_and_the_store_goes_on(path: Path) -> None:
    store = EmbeddedStore(path, read_limit_seconds=-1.0)
    await store.open()
    await store.upsert(GraphDelta(entities={key(f"s{i}"): entity(key(f"s{i}")) for i in range(10_000)}))
    with pytest.raises(QueryTimeout):
        await store.search(SearchQuery("nothing like it"))
    assert await store.entity(key("s1")) is not None
    await store.close()


def test_errors_of_sqlite_become_ours() -> None:
    def failed(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
        error = kind("message")
        error.sqlite_errorcode = code
        return error

    assert type(translated(failed(sqlite3.SQLITE_BUSY))) is StoreConflict
    assert type(translated(failed(sqlite3.SQLITE_BUSY_SNAPSHOT))) is StoreConflict
    assert type(translated(failed(sqlite3.SQLITE_INTERRUPT))) is QueryTimeout
    assert type(translated(failed(sqlite3.SQLITE_FULL))) is StoreUnavailable
    assert type(translated(failed(sqlite3.SQLITE_IOERR))) is StoreUnavailable
    assert type(translated(failed(sqlite3.SQLITE_CONSTRAINT, sqlite3.IntegrityError))) is StoreError
    assert type(translated(sqlite3.ProgrammingError("closed"))) is StoreError


def test_id_cache_forgets_what_was_rolled_back() -> None:
    cache: IdCache[str] = IdCache()
    cache.add("a", 1)
    cache.commit()
    cache.add("b", 2)
    cache.rollback()
    assert (cache.get("a"), cache.get("b")) == (1, None)


async def test_readers_run_while_a_writer_is_busy(path: Path) -> None:
    store = EmbeddedStore(path)
    await store.open()
    await store.upsert(delta(*connected(relation(A_CALLS_B))))
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(store.upsert(delta(entity(A, last_seen_ns=at(9)))))
        assert (await store.upstream(closure(A))).depth == {A: 0, B: 1}
        assert not waiting.done()
        other.execute("COMMIT")
    other.close()
    await waiting
    await store.close()
