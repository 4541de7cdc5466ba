"""Drafts of postmortems: what was measured is in them, they stay the same, and teams may write their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api import Api, running_api
from tests.integration.shop import CHECKOUT, END, RANKER, ROLL_OUT, shop
from whence.errors import ConfigError
from whence.model.times import NS_PER_SECOND, format_time
from whence.testing.graphs import at, change, delta

HOSTILE = "|<script>alert(1)</script>\n# fake"


async def answered(api: Api) -> str:
    body = {"symptom": {"entity": CHECKOUT, "signal": "errors"}, "detected_at": format_time(at(END))}
    answer = await api.post("/api/v1/investigations", body)
    return f"/api/v1/investigations/{answer['id']}"


async def text(api: Api, path: str, form: str) -> str:
    response = await api.client.get(f"{path}/postmortem", params={"format": form})
    assert response.status_code == 200, response.text
    return response.text


async def test_draft_fills_in_what_was_measured(shop_api: Api) -> None:
    path = await answered(shop_api)
    draft: dict[str, Any] = await shop_api.get(f"{path}/postmortem", format="json")
    exhibits = await shop_api.get(f"{path}/exhibits")
    assert draft["trigger"]["change"]["to"] == "v41"
    assert not draft["is_confirmed"]
    assert f"{exhibits['impact']['bad']:,.0f} of" in draft["impact_sentence"]
    assert [one["key"] for one in draft["affected"]] == [CHECKOUT]
    assert draft["owners"] == ["team-ranking", "team-shop"]
    assert draft["guardrail"]
    moments = [one["at"] for one in draft["timeline"]]
    assert moments == sorted(moments)


async def test_draft_is_the_same_a_year_and_many_changes_later(shop_api: Api) -> None:
    path = await answered(shop_api)
    first = [await text(shop_api, path, form) for form in ("md", "html", "json")]
    await shop_api.store.upsert(delta(change("late", RANKER, ROLL_OUT, to_version="v42")))
    shop_api.now_ns += 365 * 86_400 * NS_PER_SECOND
    assert [await text(shop_api, path, form) for form in ("md", "html", "json")] == first


async def test_verdict_of_a_person_makes_the_trigger_and_drops_the_rest(shop_api: Api) -> None:
    await shop_api.store.upsert(delta(change("other", CHECKOUT, ROLL_OUT - 60, to_version="x")))
    path = await answered(shop_api)
    suspects = (await shop_api.get(path))["suspects"]
    for suspect, verdict in zip(suspects, ("rejected", "confirmed"), strict=False):
        shop_api.now_ns += NS_PER_SECOND
        await shop_api.post(f"{path}/feedback", {"verdict": verdict, "change_id": suspect["change"]["id"]})
    draft = await shop_api.get(f"{path}/postmortem", format="json")
    assert draft["is_confirmed"]
    assert draft["trigger"]["change"]["id"] == suspects[1]["change"]["id"]
    assert draft["theories"][0]["change"]["id"] == suspects[0]["change"]["id"]
    assert draft["theories"][0]["why"].startswith("rejected by a person")


async def test_markdown_has_every_part_and_asks_what_only_people_know(shop_api: Api) -> None:
    document = await text(shop_api, await answered(shop_api), "md")
    headings = re.findall(r"^## (.*)$", document, re.MULTILINE)
    assert headings[:6] == ["Summary", "Impact", "Trigger", "Contributing factors", "Detection", "Resolution"]
    assert {"Timeline", "Theories considered and dropped", "Lessons", "Actions"} <= set(headings)
    assert "Where were you lucky?" in document
    assert "ranker v40 → v41" in document.replace("**", "")


async def test_html_carries_its_pictures_and_loads_nothing(shop_api: Api) -> None:
    path = await answered(shop_api)
    response = await shop_api.client.get(f"{path}/postmortem", params={"format": "html"})
    assert response.text.count("<svg") >= 3
    assert not re.search(r"(src|href)=", response.text)
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("form", ["md", "html"])
async def test_draft_without_a_trigger_says_that_no_change_explains_it(shop_api: Api, form: str) -> None:
    path = await answered(shop_api)
    for suspect in (await shop_api.get(path))["suspects"]:
        await shop_api.post(f"{path}/feedback", {"verdict": "rejected", "change_id": suspect["change"]["id"]})
    assert "No recorded change explains this:" in await text(shop_api, path, form)


@pytest.mark.parametrize("form", ["md", "html"])
async def test_text_of_strangers_stays_text(shop_api: Api, form: str) -> None:
    await shop_api.store.upsert(delta(change("bad", RANKER, ROLL_OUT, to_version=HOSTILE, url="https://x.dev/|<b>")))
    document = await text(shop_api, await answered(shop_api), form)
    assert "alert(1)" in document
    assert "<script" not in document
    assert form == "html" or "\n# fake" not in document


async def test_incident_brings_its_own_life_into_the_timeline(shop_api: Api) -> None:
    incident = await shop_api.post(
        "/api/v1/incidents", {"title": "Pay fails", "entity": "checkout", "signal": "errors"}
    )
    draft = await shop_api.get(f"/api/v1/incidents/{incident['id']}/postmortem", format="json")
    assert (draft["title"], draft["incident"]) == ("Pay fails", incident["id"])
    assert "alert Pay fails fired" in [one["what"] for one in draft["timeline"]]


async def test_team_writes_with_its_own_template(tmp_path: Path) -> None:
    template = tmp_path / "ours.md.j2"
    template.write_text("{{ title }}: {{ trigger.change.to }}")
    async with running_api(tmp_path, postmortem_template=str(template)) as api:
        await api.store.upsert(shop())
        path = await answered(api)
        assert await text(api, path, "md") == "checkout: v41"
        template.write_text("{% extends 'postmortem.md' %}")
        assert "## Lessons" in await text(api, path, "md")


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ planets }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ theories.append(1) }}",
        "{{ 1 / 0 }}",
        "{% include '/etc/passwd' %}",
        "{% include '../../../../../../../../etc/passwd' %}",
    ],
)
async def test_template_reads_the_draft_and_nothing_else(tmp_path: Path, hostile: str) -> None:
    template = tmp_path / "ours.md.j2"
    template.write_text(hostile)
    async with running_api(tmp_path, postmortem_template=str(template)) as api:
        await api.store.upsert(shop())
        await api.problem("GET", f"{await answered(api)}/postmortem", 500)


async def test_template_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path) -> None:
    template = tmp_path / "ours.md.j2"
    for content, said in ((None, "No such file"), ("a\n{% if %}", "line 2")):
        if content is not None:
            template.write_text(content)
        with pytest.raises(ConfigError, match=f"WHENCE_POSTMORTEM_TEMPLATE: .*ours.md.j2.*{said}"):
            async with running_api(tmp_path, postmortem_template=str(template)):
                pass


async def test_nothing_to_draft_from_is_not_found(api: Api) -> None:
    await api.problem("GET", "/api/v1/investigations/inv-0/postmortem", 404)
    await api.problem("GET", "/api/v1/incidents/inc-0/postmortem", 404)
