"""The suite itself: a store can't talk its way out of a case."""

from __future__ import annotations

import pytest

from tests.contract.excuses import EXCUSES
from tests.contract.suite import GraphStoreContract
from whence.store.protocol import Store


def test_suite_refuses_a_store_that_overrides_a_case() -> None:
    async def weaker(self: GraphStoreContract, store: Store) -> None:
        """Asserts nothing."""

    with pytest.raises(TypeError, match="test_upstream_cycle_ends"):
        type("TestEasyStore", (GraphStoreContract,), {"test_upstream_cycle_ends": weaker})
    with pytest.raises(TypeError, match="put"):
        type("TestEasyStore", (GraphStoreContract,), {"put": weaker})


def test_suite_takes_the_two_hooks() -> None:
    async def settle(self: GraphStoreContract, store: Store) -> None:
        """Nothing to wait for."""

    assert issubclass(type("TestFairStore", (GraphStoreContract,), {"settle": settle}), GraphStoreContract)


def test_every_excuse_names_a_case_and_a_reason() -> None:
    assert all(excuse.reason and hasattr(GraphStoreContract, excuse.case) for excuse in EXCUSES)
