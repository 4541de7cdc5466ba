"""Fixtures that more than one kind of test needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.neo4j_server import Neo4jAddress
    from whence.store.bolt import BoltStore


@pytest.fixture(scope="session")
def neo4j_address() -> Iterator[Neo4jAddress]:
    """One Neo4j for the whole session. It never skips: no Neo4j is a failure that says what to install."""
    from tests.jvm import NoServer
    from tests.neo4j_server import running_neo4j  # importing the driver takes half a second

    try:
        with running_neo4j() as address:
            yield address
    except NoServer as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def kafka_address() -> Iterator[str]:
    """One Kafka for the whole session, as ``neo4j_address``. Tests make topics of their own."""
    from tests.jvm import NoServer
    from tests.kafka_broker import running_kafka

    try:
        with running_kafka() as address:
            yield address
    except NoServer as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def make_bolt_store(neo4j_address: Neo4jAddress) -> Callable[[], BoltStore]:
    """Makes stores, not yet open, on the database of the session, which is empty as the test begins."""
    from tests.neo4j_server import empty
    from whence.store.bolt import BoltStore

    empty(neo4j_address)
    user, password = neo4j_address.auth or ("", "")
    return lambda: BoltStore(neo4j_address.uri, user=user, password=password)


@pytest.fixture
async def bolt_store(make_bolt_store: Callable[[], BoltStore]) -> AsyncIterator[BoltStore]:
    """An open store, empty as the test begins."""
    store = make_bolt_store()
    await store.open()
    yield store
    await store.close()
