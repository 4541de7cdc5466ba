"""The embedded store under the contract suite, and what is its own: the file, its version, its limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract.base import MakeStore
from tests.contract.suite import GraphStoreContract

from whence.store.embedded import EmbeddedStore
from whence.store.protocol import Store


class TestEmbeddedStore(GraphStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: EmbeddedStore(tmp_path / "whence.db")

    async def settle(self, store: Store) -> None:
        """What was committed is seen at once."""
