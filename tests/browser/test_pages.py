"""Every page, wide and narrow, light and dark: it renders, nothing complains, and anybody can use it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Story
from tests.browser.looking import Scheme, looking

PAGES = {
    "home": "/",
    "answer": "/investigations/{answer}",
    "incidents": "/incidents",
    "incident": "/incidents/{answered}",
    "incident-open": "/incidents/{unanswered}",
    "explore": "/explore",
    "explore-upstream": "/explore?entity=checkout",
    "explore-downstream": "/explore?entity=payment&way=downstream&zoom=150",
    "explore-compare": "/explore?entity=checkout&hops=3&compare=-14m",
    "catalogue": "/catalogue?kind=service",
    "catalogue-empty": "/catalogue?q=planets",
    "entity": "/entities/otel%3A%2F%2Fshop%23ranker",
    "version": "/entities/otel%3A%2F%2Fshop%23ranker%40version%3Av41",
    "dependencies": "/dependencies",
    "dependencies-empty": "/dependencies?status=unused",
    "policies": "/policies",
    "kpis": "/kpis",
    "kpi-facts": "/kpis/releases?from=-7d",
    "trust": "/trust",
    "login": "/login",
}
FIRST_PAGE_BYTES = 300_000
WIDE, NARROW = 1280, 400


@pytest.mark.parametrize(("scheme", "checked_at"), [("light", WIDE), ("dark", NARROW)])
@pytest.mark.parametrize("name", PAGES)
def test_page_renders_without_complaint_and_can_be_used_by_everybody(
    browser: Browser, story: Story, name: str, scheme: Scheme, checked_at: int
) -> None:
    with looking(browser, story.url, scheme=scheme) as visitor:
        for width in (WIDE, NARROW):
            visitor.resize(width)
            visitor.open(PAGES[name].format(**story.ids))
            visitor.keep(f"{name}-{scheme}-{width}")
            assert not visitor.overflows()
            if width == checked_at:
                assert visitor.violations() == []
        assert visitor.complaints == []
        assert visitor.strangers == []
        assert visitor.page.locator("h1").count() == 1
        assert visitor.bytes < FIRST_PAGE_BYTES


@pytest.mark.parametrize("name", PAGES)
def test_page_has_a_json_twin(browser: Browser, story: Story, name: str) -> None:
    path = PAGES[name].format(**story.ids)
    with looking(browser, story.url) as visitor:
        twin = visitor.page.request.get(story.url + path, headers={"accept": "application/json"})
        assert twin.status == 200
        assert isinstance(twin.json(), dict)


def test_trust_draws_what_was_said_beside_what_was_true(browser: Browser, story: Story) -> None:
    with looking(browser, story.url) as visitor:
        ask = visitor.page.request
        body = {"symptom": {"entity": "checkout", "signal": "errors"}}
        answer = ask.post(f"{story.url}/api/v1/investigations", data=body).json()
        for suspect, verdict in zip(answer["suspects"], ("confirmed", "rejected", "rejected"), strict=False):
            said = {"verdict": verdict, "change_id": suspect["change"]["id"]}
            assert ask.post(f"{story.url}/api/v1/investigations/{answer['id']}/feedback", data=said).ok
        visitor.open("/trust")
        visitor.keep("trust-judged")
        assert visitor.page.locator("svg.reliability circle").count() >= 1
        assert visitor.violations() == []
        assert visitor.complaints == []
        visitor.resize(NARROW)
        visitor.keep("trust-judged-narrow")
        assert not visitor.overflows()
