"""Declarations from addresses of the settings: fetched when they change, replaced whole, gone without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api import Api, api_over
from tests.integration.pages import Pages, serving
from tests.integration.planted import NOW_NS, REPORTS, planted
from whence.api.fetching import MAX_BYTES
from whence.api.remote import refresh
from whence.store.protocol import Store

WINDOW = {"from": "-3h"}
FIRST = b"whence: 1\nthings: [{name: reports, owner: team-reports, reads: [customers]}]"
SECOND = b"whence: 1\nthings: [{name: reports, owner: team-bi}]"


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving() as found:
        found.texts["/whence.yaml"] = FIRST
        yield found


async def fetched(store: Store, folder: Path, urls: str) -> list[dict[str, Any]]:
    """All imports after one round with these settings."""
    async with api_over(store, folder, declaration_urls=urls) as api:
        api.now_ns = NOW_NS
        await refresh(api.context)
        items: list[dict[str, Any]] = (await api.get("/api/v1/declarations"))["items"]
        return items


async def report(store: Store, folder: Path) -> Any:
    async with api_over(store, folder) as api:
        api.now_ns = NOW_NS
        return await api.get("/api/v1/undeclared", **WINDOW)


async def test_text_is_fetched_once_until_it_changes_and_leaves_no_trace(
    any_store: Store, tmp_path: Path, pages: Pages
) -> None:
    await any_store.upsert(planted())
    before = await report(any_store, tmp_path)
    urls = f"shop={pages.url}/whence.yaml?token=secret"
    (first,) = await fetched(any_store, tmp_path, urls)
    assert (first["name"], first["url"], first["edges"]) == ("shop", f"{pages.url}/whence.yaml", 1)
    assert await fetched(any_store, tmp_path, urls) == [first]
    assert pages.answers == [200, 304]
    pages.texts["/whence.yaml"] = SECOND
    (second,) = await fetched(any_store, tmp_path, urls)
    assert (second["edges"], second["revision"] != first["revision"]) == (0, True)
    assert await fetched(any_store, tmp_path, "") == []
    assert await report(any_store, tmp_path) == before


async def test_what_cannot_be_fetched_or_read_stays_as_it_was_and_says_why(
    any_store: Store, tmp_path: Path, pages: Pages
) -> None:
    urls = f"shop={pages.url}/whence.yaml"
    (good,) = await fetched(any_store, tmp_path, urls)
    for text, problem in ((b"whence: [", "not YAML"), (b"\xff", "not UTF-8"), (b"a" * (MAX_BYTES + 1), "larger than")):
        pages.texts["/whence.yaml"] = text
        (bad,) = await fetched(any_store, tmp_path, urls)
        assert problem in bad["problem"]
        assert {**bad, "problem": None} == good
    del pages.texts["/whence.yaml"]
    assert (await fetched(any_store, tmp_path, urls))[0]["problem"] == "HTTP 404"
    pages.texts["/whence.yaml"] = FIRST
    assert await fetched(any_store, tmp_path, urls) == [good]


async def test_redirect_goes_to_configured_hosts_and_to_no_other_private_address(
    any_store: Store, tmp_path: Path, pages: Pages
) -> None:
    with serving() as inside:
        inside.texts["/whence.yaml"] = FIRST
        pages.redirects["/moved/whence.yaml"] = f"{inside.url}/whence.yaml"
        urls = f"shop={pages.url}/moved/whence.yaml"
        (refused,) = await fetched(any_store, tmp_path, urls)
        assert "no public address" in refused["problem"]
        assert (refused["edges"], inside.answers) == (0, [])
        followed = await fetched(any_store, tmp_path, f"{urls},inside={inside.url}/whence.yaml")
        assert [(one["name"], one["problem"], one["edges"]) for one in followed] == [
            ("inside", None, 1),
            ("shop", None, 1),
        ]


async def test_redirects_that_never_end_or_leave_the_web_are_refused(
    any_store: Store, tmp_path: Path, pages: Pages
) -> None:
    pages.redirects |= {"/round.yaml": "/round.yaml", "/file.yaml": "file:///etc/passwd"}
    for name, problem in (("round", "more than 3 redirects"), ("file", "neither http nor https")):
        (one,) = await fetched(any_store, tmp_path, f"shop={pages.url}/{name}.yaml")
        assert problem in one["problem"]


async def test_fetched_and_imported_files_that_disagree_are_both_shown(planted_api: Api, pages: Pages) -> None:
    body = {"name": "checkout", "files": [{"path": "whence.yaml", "text": SECOND.decode()}]}
    await planted_api.post("/api/v1/declarations", body)
    await fetched(planted_api.store, Path("unused"), f"remote={pages.url}/whence.yaml")
    (one,) = (await planted_api.get("/api/v1/undeclared", **WINDOW))["disagreements"]
    assert (one["subject"], one["field"]) == (REPORTS, "owner")
    assert {(side["value"], side["source"]) for side in one["values"]} == {
        ("team-bi", "checkout"),
        ("team-reports", "remote"),
    }
