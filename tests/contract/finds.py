"""Finding: changes, entities by name and search, documents, paging, diagnostics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from tests.contract.base import ContractBase, changes
from whence.errors import InvalidQuery
from whence.model.change import Change
from whence.model.delta import Entity
from whence.model.kinds import ChangeKind, EntityKind
from whence.store.protocol import Document, Page, SearchQuery, Store
from whence.testing.graphs import at, attributes, change, entity, key, services

A, B = key("a"), key("b")
T = TypeVar("T")


async def all_pages(read: Callable[[str | None], Awaitable[Page[T]]]) -> list[tuple[T, ...]]:
    """Every page of a list; fails rather than loop forever."""
    pages: list[tuple[T, ...]] = []
    cursor: str | None = None
    for _ in range(100):
        page = await read(cursor)
        pages.append(page.items)
        cursor = page.cursor
        if cursor is None:
            return pages
    raise AssertionError("the list never ends")


def ids(page: Page[Change]) -> list[str]:
    return [one.id for one in page.items]


def keys(page: Page[Entity]) -> list[str]:
    return [one.key for one in page.items]


class FindContract(ContractBase):
    """Cases of the reads by name and of lists."""

    async def test_change_gives_every_field(self, store: Store) -> None:
        full = Change(
            id="dep-812",
            kind=ChangeKind.MODEL,
            subject=A,
            effective_ns=at(1),
            known_ns=at(2),
            reported_ns=at(3),
            from_version="v40",
            to_version="v41",
            environment="production",
            finished_ns=at(4),
            actor="me",
            url="https://ci/1",
            summary="why",
            source="github",
            recorded=False,
        )
        await self.put(store, full, change("bare", "a"))
        assert await store.change("dep-812") == full
        assert await store.change("bare") == change("bare", "a")
        assert await store.change("Dep-812") is None

    async def test_changes_come_latest_first_ties_by_id(self, store: Store) -> None:
        await self.put(store, change("b", A, 5), change("a", A, 5), change("c", A, 9), change("d", A, 1))
        assert ids(await store.changes(changes())) == ["c", "a", "b", "d"]

    async def test_changes_window_holds_its_start_and_not_its_end(self, store: Store) -> None:
        await self.put(store, change("c", A, 10))
        for start, end, found in ((0, 10, []), (10, 11, ["c"]), (11, 20, [])):
            assert ids(await store.changes(changes(from_ns=at(start), to_ns=at(end)))) == found

    async def test_changes_of_subjects_by_key_or_bare_name(self, store: Store) -> None:
        version = key("a", "v1")
        await self.put(
            store,
            change("key", A, 4),
            change("bare", "a", 3),
            change("version", version, 2),
            change("other", B, 1),
            change("part", "#a", 0),
        )
        found = {
            subjects: ids(await store.changes(changes(subjects=subjects)))
            for subjects in (None, (), (A,), (version,), (A, B, A), (key("x"),))
        }
        assert found == {
            None: ["key", "bare", "version", "other", "part"],
            (): [],
            (A,): ["key", "bare"],
            (version,): ["bare", "version"],
            (A, B, A): ["key", "bare", "other"],
            (key("x"),): [],
        }

    async def test_changes_environment_admits_changes_that_named_none(self, store: Store) -> None:
        await self.put(store, change("live", A, 2, environment="production"), change("any", A, 1))
        found = {one: ids(await store.changes(changes(environment=one))) for one in (None, "production", "test", "")}
        assert found == {None: ["live", "any"], "production": ["live", "any"], "test": ["any"], "": ["any"]}

    async def test_changes_known_at_leave_out_what_was_learned_later(self, store: Store) -> None:
        await self.put(store, change("late", A, 1, known_ns=at(50)))
        assert ids(await store.changes(changes(known_ns=at(49)))) == []
        assert ids(await store.changes(changes(known_ns=at(50)))) == ["late"]

    async def test_changes_pages_cover_all_without_gap_or_repeat(self, store: Store) -> None:
        await self.put(store, *(change(f"c{i:02}", A, i // 4) for i in range(23)))
        whole = ids(await store.changes(changes()))
        for limit in (1, 4, 5, 22, 23, 24):
            query = changes(limit=limit, subjects=(A,))
            pages = await all_pages(lambda cursor, query=query: store.changes(replace(query, cursor=cursor)))  # type: ignore[misc]
            assert [one.id for page in pages for one in page] == whole
            assert all(len(page) <= limit for page in pages)
            assert len(pages) == -(-23 // limit)

    async def test_lists_refuse_a_cursor_that_is_none_of_theirs(self, store: Store) -> None:
        for cursor in ("nonsense", "", "e30=", "WzEsMl0=", "\N{SNOWMAN}"):
            with pytest.raises(InvalidQuery, match="cursor"):
                await store.changes(changes(cursor=cursor))
            with pytest.raises(InvalidQuery, match="cursor"):
                await store.search(SearchQuery(cursor=cursor))
            with pytest.raises(InvalidQuery, match="cursor"):
                await store.documents("answer", 10, cursor)

    async def test_entity_is_found_by_its_exact_key_alone(self, store: Store) -> None:
        await self.put(store, *services("a"))
        assert await store.entity(A) == entity(A)
        assert await store.entity("a") is None
        assert await store.entity(A.upper()) is None
        assert await store.entity("") is None
        assert list(await store.entities([A, "a", A, ""])) == [entity(A)]
        assert list(await store.entities([])) == []

    async def test_named_matches_the_key_or_what_follows_the_hash(self, store: Store) -> None:
        elsewhere = "otel://other#a"
        version = entity(key("a", "v1"), EntityKind.SERVICE_VERSION, base=A)
        await self.put(store, *services("ab"), entity(key("xa")), entity(elsewhere), version)
        found = {
            name: [one.key for one in await store.named(name)] for name in ("a", A, "A", "shop#a", "", "a@version:v1")
        }
        assert found == {"a": [elsewhere, A], A: [A], "A": [], "shop#a": [], "": [], "a@version:v1": []}

    async def test_named_gives_no_more_than_twenty(self, store: Store) -> None:
        await self.put(store, *(entity(f"otel://n{i:02}#same") for i in range(25)))
        assert [one.key for one in await store.named("same")] == [f"otel://n{i:02}#same" for i in range(20)]

    async def test_nearest_gives_the_best_lookalike_first(self, store: Store) -> None:
        version = entity(key("checkout", "v1"), EntityKind.SERVICE_VERSION, base=key("checkout"))
        await self.put(store, *services(["checkout", "check", "payments", "checkouts"]), version)
        for name in ("chekout", key("chekout"), "CHECKOUT"):
            found = await store.nearest(name, 2)
            assert found[0] == key("checkout")
            assert len(found) == 2
        assert key("checkout", "v1") not in await store.nearest("checkout", 10)
        assert await store.nearest("zzzzzzzz", 5) == ()

    async def test_search_words_must_all_occur_in_any_case_and_order(self, store: Store) -> None:
        await self.put(store, *services(["Fraud-Model", "fraud-api", "model-api", "100%_sure"]))
        found = {
            text: keys(await store.search(SearchQuery(text)))
            for text in ("fraud", "MODEL fraud", "api shop", "nothing", "%", "_", "fraud%api")
        }
        assert found == {
            "fraud": [key("Fraud-Model"), key("fraud-api")],
            "MODEL fraud": [key("Fraud-Model")],
            "api shop": [key("fraud-api"), key("model-api")],
            "nothing": [],
            "%": [key("100%_sure")],
            "_": [key("100%_sure")],
            "fraud%api": [],
        }

    async def test_search_folds_ascii_case_alone(self, store: Store) -> None:
        await self.put(store, entity("É-Éa"))
        found = {text: keys(await store.search(SearchQuery(text))) for text in ("É-ÉA", "é-éa")}
        assert found == {"É-ÉA": ["É-Éa"], "é-éa": []}

    async def test_search_empty_text_lists_entities_by_key_without_versions(self, store: Store) -> None:
        version = entity(key("a", "v1"), EntityKind.SERVICE_VERSION, base=A)
        outside = entity(key("c", "v1"), EntityKind.EXTERNAL, base=key("c"))
        await self.put(store, *services("ba"), version, outside, entity("d", EntityKind.DATASET))
        assert keys(await store.search(SearchQuery())) == ["d", A, B]
        assert keys(await store.search(SearchQuery("  "))) == ["d", A, B]

    async def test_search_kinds_and_owner_restrict(self, store: Store) -> None:
        version = entity(key("a", "v1"), EntityKind.SERVICE_VERSION, base=A, attributes=attributes(owner="me"))
        data = entity("d", EntityKind.DATASET, attributes=attributes(owner="me", url="you"))
        await self.put(store, *services("ab"), version, data)
        services_, versions = frozenset({EntityKind.SERVICE}), frozenset({EntityKind.SERVICE_VERSION})
        assert keys(await store.search(SearchQuery(kinds=services_))) == [A, B]
        assert keys(await store.search(SearchQuery(kinds=versions))) == [version.key]
        assert keys(await store.search(SearchQuery(kinds=services_ | versions))) == [A, version.key, B]
        assert keys(await store.search(SearchQuery(owner="me"))) == ["d"]
        assert keys(await store.search(SearchQuery(owner="me", kinds=versions))) == [version.key]
        assert keys(await store.search(SearchQuery(owner="you"))) == []

    async def test_search_versions_of_one_entity_latest_first(self, store: Store) -> None:
        seen = {"v1": 5, "v2": 9, "v3": 1, "v0": 5}
        versions = [
            entity(key("a", name), EntityKind.SERVICE_VERSION, base=A, first_seen_ns=at(second))
            for name, second in seen.items()
        ]
        await self.put(store, *services("ab"), *versions, entity(key("b", "v1"), EntityKind.SERVICE_VERSION, base=B))
        expected = [key("a", name) for name in ("v2", "v0", "v1", "v3")]
        assert keys(await store.search(SearchQuery(base=A))) == expected
        query = SearchQuery(base=A, limit=1)
        pages = await all_pages(lambda cursor: store.search(replace(query, cursor=cursor)))
        assert [one.key for page in pages for one in page] == expected
        assert keys(await store.search(SearchQuery("v2", base=A))) == [key("a", "v2")]
        assert keys(await store.search(SearchQuery(base=key("x")))) == []

    async def test_search_pages_cover_all_without_gap_or_repeat(self, store: Store) -> None:
        await self.put(store, *services(f"s{i:02}" for i in range(23)), *services(["other"]))
        expected = [key(f"s{i:02}") for i in range(23)]
        for limit in (1, 7, 22, 23, 24):
            query = SearchQuery("#s", limit=limit)
            pages = await all_pages(lambda cursor, query=query: store.search(replace(query, cursor=cursor)))  # type: ignore[misc]
            assert [one.key for page in pages for one in page] == expected
            assert len(pages) == -(-23 // limit)

    async def test_document_is_replaced_by_id_within_its_kind(self, store: Store) -> None:
        first, second = Document("answer", "1", at(1), '{"a": "é"}'), Document("answer", "1", at(2), "{}")
        other = Document("feedback", "1", at(1), "[]")
        for document in (first, second, other):
            await store.save(document)
        await self.settle(store)
        assert await store.document("answer", "1") == second
        assert await store.document("feedback", "1") == other
        assert await store.document("answer", "2") is None
        assert (await store.documents("answer", 10, None)).items == (second,)

    async def test_document_deleted_is_gone_and_may_come_again(self, store: Store) -> None:
        kept, gone = Document("declaration", "a", at(1), "{}"), Document("declaration", "b", at(1), "{}")
        for document in (kept, gone):
            await store.save(document)
        await store.delete("declaration", "b")
        await store.delete("declaration", "never there")
        await self.settle(store)
        assert await store.document("declaration", "b") is None
        assert (await store.documents("declaration", 10, None)).items == (kept,)
        await store.save(gone)
        await self.settle(store)
        assert await store.document("declaration", "b") == gone

    async def test_documents_come_latest_first_in_pages(self, store: Store) -> None:
        for i in range(11):
            await store.save(Document("answer", f"{i:02}", at(i // 3), "{}"))
        await self.settle(store)
        expected = sorted((-(i // 3), f"{i:02}") for i in range(11))
        for limit in (1, 3, 10, 11, 12):
            pages = await all_pages(lambda cursor, limit=limit: store.documents("answer", limit, cursor))  # type: ignore[misc]
            assert [one.id for page in pages for one in page] == [id_ for _, id_ in expected]
        assert await store.documents("nothing", 5, None) == Page(())

    async def test_ping_and_counts_of_an_open_store(self, store: Store) -> None:
        await store.ping()
        await self.put(store, *services("ab"), change("c", A))
        counts = await store.counts()
        assert (counts["entities"], counts["relations"], counts["changes"]) == (2, 0, 1)

    async def test_close_twice_is_fine(self, store: Store) -> None:
        await store.close()
        await store.close()
