"""A real browser in front of a real server that was told a whole incident."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.shop import SETTINGS, incident_ids, tell
from tests.whence_server import running_whence

BROWSER_VARIABLE = "WHENCE_TEST_CHROMIUM"


class Story(NamedTuple):
    """Where the server is, and what it answered."""

    url: str
    answer: dict[str, Any]
    ids: dict[str, str]
    """Of the answer, and of the incidents with and without one."""


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A server that knows of an incident and was asked about it."""
    with running_whence(tmp_path_factory.mktemp("browser") / "data", **SETTINGS) as server:
        answer = tell(server)
        yield Story(server.api, answer, {"answer": answer["id"], **incident_ids(server)})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. It never skips: no browser is a failure that says what to install.

    Of the module and not of the session: while it lives, no other event loop may run in this thread.
    """
    path = os.environ.get(BROWSER_VARIABLE) or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail(
            f"no Chromium was found: apt-get install chromium, or name one in {BROWSER_VARIABLE}", pytrace=False
        )
    with sync_playwright() as playwright:
        # The sandbox needs rights that containers rarely have; the pages are our own.
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()
