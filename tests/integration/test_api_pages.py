from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api import Api, running_api
from tests.integration.shop import CHECKOUT, END, RANKER, ROLL_OUT
from whence.model.times import format_time
from whence.testing.graphs import at, change, delta

HOSTILE = '"><script>alert(1)</script>'


class Links(HTMLParser):
    """Addresses that a page loads or leads to, and the tags that it holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]


async def answer(api: Api) -> dict[str, Any]:
    body = {"symptom": {"entity": CHECKOUT, "signal": "errors"}, "detected_at": format_time(at(END))}
    found: dict[str, Any] = await api.post("/api/v1/investigations", body)
    return found


async def page(api: Api, path: str, status: int = 200) -> str:
    response = await api.client.get(path, headers={"accept": "text/html"})
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    return response.text


async def test_home_shows_a_form_what_was_asked_and_what_changed(shop_api: Api) -> None:
    given = await answer(shop_api)
    html = await page(shop_api, "/")
    assert f"/investigations/{given['id']}" in html
    assert "v40 → v41" in html
    assert f'<option value="{CHECKOUT}">' in html


async def test_home_of_an_empty_server_says_what_to_do(api: Api) -> None:
    html = await page(api, "/")
    assert "Nothing was asked yet" in html
    assert "No change is known" in html


async def test_form_asks_and_leads_to_the_answer(shop_api: Api) -> None:
    form = {"entity": "checkout", "operation": "", "signal": "errors", "detected_at": format_time(at(END))}
    response = await shop_api.client.post("/investigations", data=form)
    assert response.status_code == 303
    html = await page(shop_api, response.headers["location"])
    assert all(heading in html for heading in ("What's going on", "What it points to", "What next"))


async def test_answer_shows_suspects_with_evidence_path_and_the_none_row(shop_api: Api) -> None:
    given = await answer(shop_api)
    html = await page(shop_api, f"/investigations/{given['id']}")
    suspect = given["suspects"][0]
    assert suspect["band"] in html
    assert all(key in html for key in suspect["path"])
    assert "against" in html
    assert "No recorded change explains this" in html


@pytest.mark.parametrize(
    ("suffix", "headers"), [(".json", {}), ("", {"accept": "application/json"}), (".json", {"accept": "text/html"})]
)
async def test_json_twin_is_the_answer_of_the_api_byte_for_byte(
    shop_api: Api, suffix: str, headers: dict[str, str]
) -> None:
    given = await answer(shop_api)
    twin = await shop_api.client.get(f"/investigations/{given['id']}{suffix}", headers=headers)
    original = await shop_api.client.get(f"/api/v1/investigations/{given['id']}")
    assert twin.content == original.content
    assert twin.headers["etag"] == original.headers["etag"]
    assert twin.headers["content-type"] == "application/json"
    cached = await shop_api.client.get(
        f"/investigations/{given['id']}.json", headers={"if-none-match": original.headers["etag"]}
    )
    assert cached.status_code == 304


async def test_home_has_a_json_twin(shop_api: Api) -> None:
    response = await shop_api.client.get("/", headers={"accept": "application/json"})
    assert [one["to"] for one in response.json()["changes"]] == ["v41"]


async def test_unknown_answer_is_a_page_for_people_and_problem_details_for_programs(api: Api) -> None:
    assert "Not found" in await page(api, "/investigations/inv-0", 404)
    await api.problem("GET", "/investigations/inv-0.json", 404)


async def test_form_with_an_unknown_name_shows_the_nearest(shop_api: Api) -> None:
    response = await shop_api.client.post("/investigations", data={"entity": "chekout"})
    assert response.status_code == 404
    assert CHECKOUT in response.text


async def test_verdict_given_on_the_page_is_shown_on_it(shop_api: Api) -> None:
    given = await answer(shop_api)
    path, suspect = f"/investigations/{given['id']}", given["suspects"][0]["change"]["id"]
    response = await shop_api.client.post(f"{path}/feedback", data={"verdict": "confirmed", "change_id": suspect})
    assert (response.status_code, response.headers["location"]) == (303, path)
    assert '<span class="tag confirmed">confirmed</span>' in await page(shop_api, path)


async def test_pages_escape_what_strangers_wrote(shop_api: Api) -> None:
    hostile = change(HOSTILE, RANKER, ROLL_OUT, summary=HOSTILE, to_version=HOSTILE, url=f"javascript:{HOSTILE}")
    await shop_api.store.upsert(delta(hostile))
    given = await answer(shop_api)
    for path in ("/", f"/investigations/{given['id']}"):
        html = await page(shop_api, path)
        assert "alert(1)" in html
        assert "<script" not in html
        assert not [address for address in Links(html).addresses if address.startswith("javascript:")]


async def test_pages_load_nothing_from_elsewhere_and_run_no_script(shop_api: Api) -> None:
    given = await answer(shop_api)
    for path in ("/", f"/investigations/{given['id']}", "/login"):
        response = await shop_api.client.get(path)
        links = Links(response.text)
        assert all(address.startswith(("/", "#", "?")) for address in links.addresses)
        assert not links.tags & {"script", "iframe", "img"}
        assert "default-src 'none'" in response.headers["content-security-policy"]
        for address in links.addresses:
            if address.startswith("/static/"):
                assert (await shop_api.client.get(address)).status_code == 200


async def test_style_has_a_light_and_a_dark_form(api: Api) -> None:
    style = (await api.client.get("/static/style.css")).text
    assert re.search(r"color-scheme: light dark", style)
    assert "url(" not in style


async def test_visitor_without_a_token_is_asked_for_one_and_then_let_in(tmp_path: Path) -> None:
    async with running_api(tmp_path, tokens="sesame") as api:
        turned_away = await api.client.get("/")
        assert (turned_away.status_code, turned_away.headers["location"]) == (303, "/login")
        await api.problem("GET", "/", 401, headers={"accept": "application/json"})
        entered = await api.client.post("/login", data={"token": "sesame"})
        assert "httponly" in entered.headers["set-cookie"].lower()
        assert "samesite=strict" in entered.headers["set-cookie"].lower()
        assert (await api.client.get("/")).status_code == 200


async def test_unreachable_pages_stay_problem_details(api: Api) -> None:
    await api.problem("GET", "/planets", 404)
