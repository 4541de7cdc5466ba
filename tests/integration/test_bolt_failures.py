"""What goes wrong between us and Neo4j, made to happen, and what a caller is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.neo4j_server import Neo4jAddress
from tests.tcp_proxy import TcpProxy
from whence.errors import ConfigError, QueryTimeout, StoreConflict, StoreUnavailable
from whence.model.delta import GraphDelta
from whence.store.bolt import BoltLimits, BoltStore
from whence.store.bolt.connection import Connection, run
from whence.store.protocol import BucketQuery
from whence.testing.graphs import START_S, change, delta, edge, entity, key, link, operation

pytestmark = pytest.mark.neo4j

A, B = key("a"), key("b")
IMPATIENT = BoltLimits(connect_seconds=1, read_seconds=1, write_seconds=1, retry_seconds=1)
ENDLESS = "UNWIND range(1, 1000000000) AS i WITH i WHERE i % 3 = 5 RETURN count(i)"


@pytest.fixture
def wire(neo4j_address: Neo4jAddress) -> Iterator[TcpProxy]:
    address = urlsplit(neo4j_address.uri)
    proxy = TcpProxy(address.hostname or "", address.port or 7687)
    yield proxy
    proxy.cut()


@pytest.fixture
async def connection(neo4j_address: Neo4jAddress) -> AsyncIterator[Connection]:
    connection = Connection(neo4j_address.uri, neo4j_address.auth, None, IMPATIENT)
    await connection.open(())
    yield connection
    await connection.close()


async def test_open_where_nothing_listens_says_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        store = BoltStore(f"bolt://127.0.0.1:{taken.getsockname()[1]}", limits=IMPATIENT)
        with pytest.raises(StoreUnavailable):
            await store.open()


async def test_open_where_nobody_answers_gives_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        store = BoltStore(f"bolt://127.0.0.1:{silent.getsockname()[1]}", limits=IMPATIENT)
        with pytest.raises(StoreUnavailable):
            await store.open()


@pytest.mark.parametrize("uri", ["redis://127.0.0.1:1", "bolt://127.0.0.1:port", "127.0.0.1"])
async def test_open_of_an_address_that_is_none_says_misconfigured(uri: str) -> None:
    with pytest.raises(ConfigError, match="store at"):
        await BoltStore(uri).open()


async def test_open_of_a_database_that_is_not_there_says_misconfigured(neo4j_address: Neo4jAddress) -> None:
    user, password = neo4j_address.auth or ("", "")
    store = BoltStore(neo4j_address.uri, user=user, password=password, database="nowhere")
    with pytest.raises(ConfigError, match="nowhere"):
        await store.open()


async def test_store_that_is_not_open_says_unavailable(make_bolt_store: Callable[[], BoltStore]) -> None:
    store = make_bolt_store()
    with pytest.raises(StoreUnavailable):
        await store.ping()
    with pytest.raises(StoreUnavailable):
        await store.upsert(delta(entity(A)))


async def test_read_beyond_its_limit_is_a_timeout(connection: Connection) -> None:
    with pytest.raises(QueryTimeout):
        await connection.read(lambda tx: run(tx, ENDLESS))


async def test_write_beyond_its_limit_may_be_tried_again(connection: Connection) -> None:
    with pytest.raises(StoreConflict):
        await connection.write(lambda tx: run(tx, ENDLESS))


async def test_upsert_over_a_broken_connection_may_be_sent_again(
    bolt_store: BoltStore, wire: TcpProxy, neo4j_address: Neo4jAddress
) -> None:
    user, password = neo4j_address.auth or ("", "")
    store = BoltStore(f"bolt://127.0.0.1:{wire.port}", user=user, password=password, limits=IMPATIENT)
    await store.open()
    try:
        facts = delta(entity(A), operation(A, spans=3))
        await store.upsert(facts)
        wire.cut()
        with pytest.raises(StoreUnavailable):
            await store.ping()
        with pytest.raises(StoreUnavailable):
            await store.upsert(facts)
        wire.restore()
        await store.upsert(facts)
        await store.ping()
    finally:
        await store.close()
    assert await counted(bolt_store) == [3.0]


async def test_upsert_that_fails_at_its_end_leaves_nothing(bolt_store: BoltStore) -> None:
    a_calls_b = link(A, B)
    before = await bolt_store.counts()
    too_late_for_64_bits = change("c", A, effective_ns=2**63)
    with pytest.raises(OverflowError):
        await bolt_store.upsert(delta(entity(A), operation(A), edge(a_calls_b), too_late_for_64_bits))
    assert await bolt_store.counts() == before


async def test_upsert_cancelled_at_any_moment_is_whole_or_absent(bolt_store: BoltStore) -> None:
    for number in range(15):
        node = key(f"n{number}")
        task = asyncio.create_task(bolt_store.upsert(_facts_of(node)))
        await asyncio.sleep(0.002 * number)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        described = await bolt_store.entity(node) is not None
        rows = await bolt_store.operation_rows(BucketQuery((node,), START_S, START_S + 100))
        assert len(rows) == (100 if described else 0)


def _facts_of(node: str) -> GraphDelta:
    return delta(entity(node), *(operation(node, second) for second in range(100)))


async def counted(store: BoltStore) -> list[float]:
    return [row.calls for row in await store.operation_rows(BucketQuery((A,), START_S, START_S + 10))]
