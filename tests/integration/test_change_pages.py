"""Pages of changes, laid end to end, are the whole timeline, however recorded changes and new versions mix."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from whence.api.change_pages import read_page
from whence.api.timeline import read_timeline
from whence.api.window import Window
from whence.model.change import Change
from whence.model.kinds import EntityKind, RelationType
from whence.store.embedded import EmbeddedStore
from whence.store.rules import encode_cursor
from whence.testing.graphs import Fact, at, change, delta, entity, key, link, relation

NAMES = ("shop", "ranker", "cart")
WINDOW = Window(at(100), at(3_000), None, None)


def facts(seed: int) -> list[Fact]:
    """Services with versions that appear at odd times, of which some were announced, by key or by name, some not."""
    dice = random.Random(seed)
    found: list[Fact] = []
    for name in NAMES:
        found.append(entity(key(name)))
        for number, first in enumerate(dice.choices(range(0, 3_300, 300), k=6)):
            version = key(name, f"v{number}")
            found.append(entity(version, EntityKind.SERVICE_VERSION, base=key(name)))
            found.append(relation(link(key(name), version, RelationType.HAS_VERSION), first))
            if dice.random() < 0.5:
                subject = dice.choice((name, key(name)))
                found.append(change(f"c-{name}-{number}", subject, first, to_version=f"v{number}"))
        found += [change(f"d-{name}-{number}", key(name), dice.randrange(0, 3_300, 600)) for number in range(3)]
    return found


async def pages(store: EmbeddedStore, limit: int) -> list[Change]:
    """Every page, in turn."""
    found: list[Change] = []
    cursor = None
    while True:
        page = await read_page(store, WINDOW, None, limit=limit, cursor=cursor)
        assert len(page.changes) <= limit
        found += page.changes
        if not page.has_more:
            return found
        cursor = encode_cursor(found[-1].effective_ns, found[-1].id)


@pytest.mark.parametrize("seed", range(4))
async def test_pages_of_any_size_are_the_whole_timeline(seed: int, tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "whence.db")
    await store.open()
    try:
        await store.upsert(delta(*facts(seed)))
        whole = (await read_timeline(store, WINDOW)).changes
        assert {one.recorded for one in whole} == {True, False}
        for limit in (1, 2, 5, 200):
            assert await pages(store, limit) == list(whole)
    finally:
        await store.close()
