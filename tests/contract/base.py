"""The hooks of the contract suite, and what its cases share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from whence.model.delta import GraphDelta
from whence.model.graph import Subgraph
from whence.store.protocol import BucketQuery, ChangeQuery, ClosureQuery, ExposureQuery, Store
from whence.testing.graphs import START_S, Fact, at, delta

MakeStore = Callable[[], Store]
HOOKS = frozenset({"make_store", "settle"})

EVER = ChangeQuery(from_ns=0, to_ns=at(1_000_000))


class ContractBase:
    """A store's test class gives ``make_store`` and ``settle`` and nothing else: no case may be overridden."""

    def __init_subclass__(cls) -> None:
        """Refuse a store's class that changes what is tested."""
        if cls.__name__.startswith("Test"):
            inherited = {name for base in cls.__mro__[1:] for name in vars(base) if not name.startswith("__")}
            overridden = inherited & vars(cls).keys() - HOOKS
            if overridden:
                raise TypeError(f"{cls.__name__} may not override {', '.join(sorted(overridden))}")

    @pytest.fixture
    def make_store(self) -> MakeStore:
        """Makes stores, not yet open, on one database that is empty as the test begins."""
        raise NotImplementedError

    async def settle(self, store: Store) -> None:
        """Wait until what was acknowledged can be read everywhere."""
        raise NotImplementedError

    @pytest.fixture
    async def store(self, make_store: MakeStore) -> AsyncIterator[Store]:
        store = make_store()
        await store.open()
        yield store
        await store.close()

    async def put(self, store: Store, *facts: Fact | GraphDelta) -> None:
        """Upsert deltas as they are, one after the other; single facts go together into one more."""
        for one in facts:
            if isinstance(one, GraphDelta):
                await store.upsert(one)
        loose = delta(*(one for one in facts if not isinstance(one, GraphDelta)))
        if loose.rows:
            await store.upsert(loose)
        await self.settle(store)


def closure(*roots: str, **more: object) -> ClosureQuery:
    """A walk over the first thousand seconds."""
    return replace(ClosureQuery(roots, at(0), at(1_000)), **more)  # type: ignore[arg-type]


def buckets(*nodes: str, **more: object) -> BucketQuery:
    """Buckets of the first thousand seconds."""
    return replace(BucketQuery(nodes, START_S, START_S + 1_000), **more)  # type: ignore[arg-type]


def exposures(service: str, **more: object) -> ExposureQuery:
    """Exposures in the first thousand seconds."""
    return replace(ExposureQuery(service, START_S, START_S + 1_000), **more)  # type: ignore[arg-type]


def changes(**more: object) -> ChangeQuery:
    """All changes, unless ``more`` says otherwise."""
    return replace(EVER, **more)  # type: ignore[arg-type]


def arrows(subgraph: Subgraph) -> set[tuple[str, str, str]]:
    """Relations as (src, type, dst)."""
    return {(one.key.src, one.key.type.value, one.key.dst) for one in subgraph.relations}
