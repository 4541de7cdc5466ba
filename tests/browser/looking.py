"""A page as somebody looks at it, and everything that goes wrong meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

SCREENSHOTS_VARIABLE = "WHENCE_SCREENSHOTS"
"""Directory that keeps a picture of every page that is tested, to be looked at."""
WIDTH, HEIGHT = 1280, 900

Scheme = Literal["light", "dark"]


class Looking:
    """One visitor with an empty cookie jar."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.bytes = 0
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._watch(request.url))

    def open(self, path: str) -> None:
        """Go there."""
        response = self.page.goto(self.url + path)
        assert response is not None
        assert response.status == 200, path
        self.bytes = len(response.body())

    def resize(self, width: int) -> None:
        """Make the window so wide, in pixels."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})

    def violations(self) -> list[str]:
        """What the accessibility checker finds, one line each."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]

    def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))

    def keep(self, name: str) -> None:
        """Take a picture where somebody wants them."""
        folder = os.environ.get(SCREENSHOTS_VARIABLE)
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _watch(self, url: str) -> None:
        if urlsplit(url).netloc != urlsplit(self.url).netloc:
            self.strangers.append(url)


@contextmanager
def looking(browser: Browser, url: str, *, scheme: Scheme = "light") -> Iterator[Looking]:
    """A fresh visitor."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
    try:
        yield Looking(context.new_page(), url)
    finally:
        context.close()
