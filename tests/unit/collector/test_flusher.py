from __future__ import annotations

from whence.collector.flusher import Flusher
from whence.errors import StoreError, StoreUnavailable
from whence.model.delta import Entity, GraphDelta
from whence.model.kinds import EntityKind


class PickyStore:
    """Refuses deltas that hold a poisonous key, for good, and everything while it is down."""

    def __init__(self) -> None:
        self.is_down = False
        self.keys: set[str] = set()

    async def upsert(self, delta: GraphDelta) -> None:
        if self.is_down:
            raise StoreUnavailable("down")
        if "poison" in delta.entities:
            raise StoreError("can't be written")
        self.keys |= set(delta.entities)


def entities(*keys: str) -> GraphDelta:
    return GraphDelta(entities={key: Entity(key, EntityKind.SERVICE, key, 1, 1) for key in keys})


async def test_flusher_with_a_row_that_can_never_be_written_drops_it_alone_and_counts_it() -> None:
    store = PickyStore()
    flusher = Flusher(store)
    flusher.add(entities("a", "b", "poison", "c", "d"))
    assert await flusher.flush()
    assert store.keys == {"a", "b", "c", "d"}
    assert flusher.dropped_rows == 1


async def test_flusher_keeps_everything_while_the_store_is_down() -> None:
    store = PickyStore()
    store.is_down = True
    flusher = Flusher(store)
    flusher.add(entities("a"))
    assert not await flusher.flush()
    flusher.add(entities("b"))
    assert (flusher.pending_rows, flusher.failures, flusher.dropped_rows) == (2, 1, 0)


async def test_flusher_rests_between_failures_and_delivers_in_the_end() -> None:
    store = PickyStore()
    store.is_down = True
    flusher = Flusher(store, first_pause_seconds=0.0)
    flusher.add(entities("a"))
    assert not await flusher.flush()
    store.is_down = False
    assert await flusher.flush()
    assert store.keys == {"a"}
