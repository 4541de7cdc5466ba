"""The join of a real store and the ranking."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from whence.errors import EntityNotFound
from whence.investigate import DEFAULT_OPTIONS, investigate, upstream_changes
from whence.model.answer import Verdict
from whence.model.kinds import Signal
from whence.store.embedded.store import EmbeddedStore
from whence.testing.cases import bucket, incident, rollout
from whence.testing.graphs import at, attributes, change, delta, entity, key

SHOP, RANKER = key("shop"), key("ranker")
NOW = at(bucket(82))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedStore]:
    opened = EmbeddedStore(tmp_path / "whence.db")
    await opened.open()
    owned = entity(RANKER, attributes=attributes(owner="@ranking"))
    await opened.upsert(delta(*rollout(), owned, change("d1", "ranker", bucket(40), to_version="v2")))
    yield opened
    await opened.close()


async def test_investigate_names_the_guilty_roll_out_and_its_owner(store: EmbeddedStore) -> None:
    answer = await investigate(store, incident(SHOP, 79), now_ns=NOW)
    assert answer.verdict is Verdict.SUSPECT
    assert (answer.suspects[0].change.id, answer.suspects[0].owner) == ("d1", "@ranking")


async def test_investigate_twice_is_the_same(store: EmbeddedStore) -> None:
    first, second = [await investigate(store, incident(SHOP, 79), now_ns=NOW) for _ in range(2)]
    assert first == second


async def test_investigate_as_of_uses_nothing_later(store: EmbeddedStore) -> None:
    early = replace(incident(SHOP, 79), as_of_ns=at(bucket(39)))
    answer = await investigate(store, early, now_ns=NOW)
    assert answer.as_of_ns == early.as_of_ns
    assert [one for one in answer.suspects if one.evidence[0].code == "same_time_contrast"] == []


async def test_investigate_a_year_later_looks_at_the_same_window(store: EmbeddedStore) -> None:
    later = await investigate(store, incident(SHOP, 79), now_ns=NOW + 365 * 86_400 * 10**9)
    assert later.suspects[0].change.id == "d1"
    assert later.as_of_ns == at(bucket(79)) + DEFAULT_OPTIONS.telemetry_after_ns


async def test_what_nodes_did_is_asked_for_no_longer_than_requests(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the calls of the symptom before its first known request would look like a change of what it does."""
    asked: list[tuple[int, int]] = []
    reads = {name: getattr(store, name) for name in ("exposure_rows", "operation_rows")}

    def spied(name: str) -> Callable[[Any], Awaitable[Any]]:
        def read(query: Any) -> Awaitable[Any]:
            asked.append((query.from_s, query.to_s))
            rows: Awaitable[Any] = reads[name](query)
            return rows

        return read

    for name in reads:
        monkeypatch.setattr(store, name, spied(name))
    unseen = incident(SHOP, 79)
    await investigate(store, replace(unseen, symptom=replace(unseen.symptom, signal=Signal.QUALITY)), now_ns=NOW)
    requests, behaviour = asked
    assert behaviour[0] >= requests[0]


async def test_investigate_an_unknown_entity_says_what_is_near(store: EmbeddedStore) -> None:
    with pytest.raises(EntityNotFound) as raised:
        await investigate(store, incident(key("rankr"), 79), now_ns=NOW)
    assert RANKER in raised.value.nearest


async def test_upstream_changes_hold_recorded_and_inferred_ones(store: EmbeddedStore) -> None:
    await store.upsert(delta(change("d2", SHOP, bucket(50))))
    graph, changes = await upstream_changes(store, SHOP, at(bucket(-9)), NOW)
    assert {"d1", "d2"} == {one.id for one in changes}
    assert key("ranker", "v2") in graph.entities


async def test_upstream_changes_nobody_announced_are_inferred(tmp_path: Path) -> None:
    opened = EmbeddedStore(tmp_path / "other.db")
    await opened.open()
    await opened.upsert(delta(*rollout()))
    _, (found,) = await upstream_changes(opened, SHOP, at(bucket(-9)), NOW)
    await opened.close()
    assert (found.recorded, found.to_version) == (False, "v2")


async def test_upstream_changes_of_an_unknown_entity_is_not_found(store: EmbeddedStore) -> None:
    with pytest.raises(EntityNotFound):
        await upstream_changes(store, key("nobody"), at(0), NOW)
