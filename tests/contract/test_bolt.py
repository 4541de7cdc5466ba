"""The contract, held against Neo4j."""

from __future__ import annotations

import pytest

from tests.contract.base import MakeStore
from tests.contract.suite import GraphStoreContract
from whence.store.protocol import Store

pytestmark = pytest.mark.neo4j


class TestBoltStore(GraphStoreContract):
    @pytest.fixture
    def make_store(self, make_bolt_store: MakeStore) -> MakeStore:
        return make_bolt_store

    async def settle(self, store: Store) -> None:
        """A commit is visible to every later transaction of one server."""
