"""The contract, held against Neo4j."""

from __future__ import annotations

import pytest

from tests.contract.base import MakeStore
from tests.contract.suite import GraphStoreContract
from tests.neo4j_server import Neo4jAddress, empty
from whence.store.bolt import BoltStore
from whence.store.protocol import Store

pytestmark = pytest.mark.neo4j


class TestBoltStore(GraphStoreContract):
    @pytest.fixture
    def make_store(self, neo4j_address: Neo4jAddress) -> MakeStore:
        empty(neo4j_address)
        user, password = neo4j_address.auth or ("", "")
        return lambda: BoltStore(neo4j_address.uri, user=user, password=password)

    async def settle(self, store: Store) -> None:
        """A commit is visible to every later transaction of one server."""
