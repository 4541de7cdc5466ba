"""The page of an answer in use: with the keyboard alone, from the suspect to the verdict."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Story
from tests.browser.looking import looking

MOST_STEPS = 60


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.name || ''")).strip()


def tab_to(page: Page, text: str) -> None:
    """Press Tab until something of that text has the focus."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if focused(page).startswith(text):
            return
    raise AssertionError(f"{text!r} can't be reached by keyboard")


def test_keyboard_alone_gets_from_the_top_to_a_verdict(browser: Browser, story: Story) -> None:
    with looking(browser, story.url) as visitor:
        visitor.open(f"/investigations/{story.answer['id']}")
        page = visitor.page
        tab_to(page, "Skip to content")
        page.keyboard.press("Enter")
        tab_to(page, "not this")
        page.keyboard.press("Enter")
        page.wait_for_load_state()
        expect(page.locator("article").first.locator(".tag.rejected")).to_be_visible()
        tab_to(page, "confirm")
        page.keyboard.press("Enter")
        page.wait_for_load_state()
        expect(page.get_by_role("heading", name="What caused it")).to_be_visible()
        assert visitor.violations() == []


def test_suspect_card_shows_both_sides_and_the_pictures(browser: Browser, story: Story) -> None:
    with looking(browser, story.url) as visitor:
        visitor.open(f"/investigations/{story.answer['id']}")
        page = visitor.page
        card = page.locator("article").first
        expect(card.locator("h3")).to_contain_text(re.compile(r"ranker\s+v40 → v41"))
        expect(card.locator(".multiples figure")).to_have_count(2)
        expect(card.get_by_role("row", name="for").first).to_be_visible()
        expect(card.get_by_role("row", name="against").first).to_be_visible()
        expect(page.locator("table.forest")).to_contain_text("ranker")
        assert page.locator("svg.timeline .event.suspect").count() >= 2
        names = page.locator("svg.layers .node .name").all_text_contents()
        assert {"checkout", "ranker"} <= set(names)


def test_symptom_stands_right_of_what_it_needs(browser: Browser, story: Story) -> None:
    with looking(browser, story.url) as visitor:
        visitor.open(f"/investigations/{story.answer['id']}")
        boxes = {
            node.locator(".name").text_content(): node.locator("rect").bounding_box()
            for node in visitor.page.locator("svg.layers .node").all()
        }
        checkout, ranker = boxes["checkout"], boxes["ranker"]
        assert checkout is not None
        assert ranker is not None
        assert ranker["x"] + ranker["width"] < checkout["x"]


def test_graph_is_explored_by_following_boxes(browser: Browser, story: Story) -> None:
    with looking(browser, story.url) as visitor:
        visitor.open("/explore?entity=checkout")
        visitor.page.locator("svg.layers a", has_text="payment").click()
        expect(visitor.page.locator("svg.layers .node.hurts .name")).to_have_text("payment")
        visitor.page.get_by_role("link", name="what needs it").click()
        expect(visitor.page.locator("svg.layers .node .name", has_text="checkout")).to_be_visible()


def test_question_is_asked_from_the_first_page(browser: Browser, story: Story) -> None:
    with looking(browser, story.url) as visitor:
        visitor.open("/")
        visitor.page.get_by_label("What hurts").fill("checkout")
        visitor.page.get_by_label("Noticed").fill("-2m")
        visitor.page.get_by_role("button", name="What changed upstream?").click()
        expect(visitor.page.get_by_role("heading", name="What's going on")).to_be_visible()


def test_incidents_are_merged_and_parted_on_their_page(browser: Browser, story: Story) -> None:
    with looking(browser, story.url) as visitor:
        visitor.open(f"/incidents/{story.ids['answered']}")
        page = visitor.page
        page.get_by_text("Merge or split").click()
        assert visitor.violations() == []
        visitor.keep("incident-merge")
        page.get_by_role("button", name="Merge").click()
        page.get_by_role("link", name=story.ids["unanswered"]).click()
        expect(page.get_by_text("It is part of another incident")).to_be_visible()
        page.get_by_role("link", name="another incident").click()
        page.get_by_role("button", name="It is not").click()
        expect(page.get_by_text("is part of it")).to_have_count(0)


def test_arrow_keys_walk_through_time_and_show_what_differs(browser: Browser, story: Story) -> None:
    with looking(browser, story.url) as visitor:
        visitor.open(f"/investigations/{story.answer['id']}")
        page = visitor.page
        moments = page.get_by_role("group", name="The graph at this moment")
        assert moments.locator(".step:visible").count() == 1
        expect(moments.locator(".step:visible")).to_contain_text("Different: ranker v40 →")
        tab_to(page, "step")
        for _ in range(moments.get_by_role("radio").count() - 1):
            page.keyboard.press("ArrowLeft")
        expect(moments.get_by_role("radio").first).to_be_checked()
        expect(moments.locator(".step:visible")).to_have_text(re.compile("Nothing is different"))
        expect(moments.locator(".step:visible .detail", has_text="v40")).to_be_visible()
        assert visitor.violations() == []
        visitor.resize(400)
        visitor.keep("steps-narrow")
        assert not visitor.overflows()
