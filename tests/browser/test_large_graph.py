"""A graph of hundreds of things: one canvas instead of thousands of elements, and a list of the same links."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.bench.explore import ROOT, filled
from tests.browser.looking import looking
from tests.whence_server import running_whence

NODES = 300
MOST_ELEMENTS = 200
"""Beside the list, which is folded and so costs no layout."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that holds the graph."""
    with running_whence(filled(tmp_path_factory.mktemp("large") / "data", NODES)) as server:
        yield server.api


def test_large_graph_is_one_canvas_with_a_list_of_the_same_links(url: str, browser: Browser) -> None:
    with looking(browser, url) as visitor:
        visitor.open(f"/explore?entity={quote(ROOT, safe='')}")
        visitor.keep("explore-large-light-1280")
        page = visitor.page
        expect(page.locator("canvas.graph")).to_be_visible()
        assert page.locator("details li a").count() == NODES
        assert page.locator("body :not(details *):not(datalist *)").count() < MOST_ELEMENTS
        assert visitor.violations() == []
        assert visitor.complaints == []


def test_keys_move_and_zoom_the_picture(url: str, browser: Browser) -> None:
    with looking(browser, url) as visitor:
        visitor.open(f"/explore?entity={quote(ROOT, safe='')}")
        canvas = visitor.page.locator("canvas.graph")
        canvas.focus()
        looks = [canvas.screenshot()]
        for key in ("+", "ArrowLeft", "0"):
            visitor.page.keyboard.press(key)
            looks.append(canvas.screenshot())
        whole, nearer, aside, again = looks
        assert len({whole, nearer, aside}) == 3
        assert again == whole
