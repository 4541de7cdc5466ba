"""The tools for agents, called with the official client, over HTTP and over stdio."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from tests.integration.live import live_api
from tests.integration.shop import CHECKOUT, END, RANKER, shop
from whence.mcp.asking import Asker
from whence.mcp.bounds import CUT, MOST_DATA_CHARS, MOST_TEXT_CHARS
from whence.mcp.tools import create_server
from whence.model.times import format_time
from whence.testing.graphs import at

NOTICED = format_time(at(END))
TOOLS = {
    "investigate",
    "get_evidence",
    "what_changed",
    "upstream",
    "downstream",
    "compare_versions",
    "data_health",
    "timeline",
    "similar_incidents",
    "draft_postmortem",
    "record_verdict",
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_api(tmp_path_factory.mktemp("mcp"), shop(), at(END)) as address:
        yield address


def record(url: str, count: int, **details: str) -> None:
    """Changes of ``ranker``, one second after the other, up to when someone asks."""
    reports = [
        {"kind": "config", "subject": RANKER, "to": f"c{i}", "effective_at": format_time(at(END - i)), **details}
        for i in range(count)
    ]
    httpx.post(f"{url}/api/v1/changes", json=reports, timeout=60).raise_for_status()


@asynccontextmanager
async def by_http(url: str) -> AsyncIterator[Client]:
    async with Client(f"{url}/mcp") as client:
        yield client


@asynccontextmanager
async def by_stdio(url: str) -> AsyncIterator[Client]:
    command = StdioServerParameters(command=sys.executable, args=["-m", "whence.cli", "mcp", "--url", url])
    async with Client(command) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    found: dict[str, Any] = result.structured_content
    return found


@pytest.mark.parametrize("connect", [by_http, by_stdio])
async def test_agent_gets_from_the_symptom_to_the_evidence(url: str, connect: Any) -> None:
    async with connect(url) as client:
        found = await call(client, "investigate", entity="checkout", signal="errors", detected_at=NOTICED)
        suspect = found["data"]["suspects"][0]
        assert suspect["change"]["to"] == "v41"
        assert "before a person confirmed it" in found["do_not_claim"]
        more = await call(
            client, "get_evidence", investigation_id=found["data"]["id"], change_id=suspect["change"]["id"]
        )
        assert len(more["data"]["evidence"]) >= len(suspect["evidence"])


async def test_all_tools_say_what_they_give_and_all_but_one_only_read(url: str) -> None:
    async with by_http(url) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert tools.keys() == TOOLS
    assert all(tool.output_schema and tool.description for tool in tools.values())
    hints = {name: tool.annotations for name, tool in tools.items()}
    assert {name for name, hint in hints.items() if hint is None or not hint.read_only_hint} == {"record_verdict"}


@pytest.mark.parametrize("connect", [by_http, by_stdio])
async def test_answers_and_things_can_be_read_by_address(url: str, connect: Any) -> None:
    async with connect(url) as client:
        answer = await call(client, "investigate", entity="checkout", signal="errors", detected_at=NOTICED)
        kept = await read(client, f"whence://investigations/{answer['data']['id']}")
        assert kept["suspects"][0]["change"]["to"] == "v41"
        card = await read(client, "whence://entities/ranker")
        assert card["entity"]["key"] == RANKER
        templates = (await client.list_resource_templates()).resource_templates
    assert {one.uri_template.split("/")[2] for one in templates} == {"investigations", "incidents", "entities"}


async def test_prompts_name_tools_that_there_are(url: str) -> None:
    async with by_http(url) as client:
        told = [
            await client.get_prompt("investigate", {"entity": "checkout", "since": "-15m"}),
            await client.get_prompt("postmortem", {"investigation_id": "inv-1"}),
        ]
    texts = [str(one.messages[0].content) for one in told]
    assert "checkout with detected_at -15m" in texts[0]
    named = {word for text in texts for word in re.findall(r"`(\w+)`", text)} - {"do_not_claim"}
    assert named <= TOOLS


def test_what_agents_read_first_is_open_and_names_what_there_is(tmp_path: Path) -> None:
    with live_api(tmp_path, shop(), at(END), tokens="read:sesame") as guarded:
        first = httpx.get(f"{guarded}/llms.txt", timeout=30)
        known = httpx.get(f"{guarded}/openapi.json", timeout=30).json()["paths"]
    assert (first.status_code, first.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert set(re.findall(r"`(\w+)`", first.text)) >= TOOLS
    assert {path.rstrip(":") for path in re.findall(r"/api/v1/[\w/]+", first.text)} <= set(known)


async def read(client: Client, uri: str) -> dict[str, Any]:
    (content,) = (await client.read_resource(uri)).contents
    found: dict[str, Any] = json.loads(content.text)  # type: ignore[union-attr]
    return found


async def test_graph_changes_and_drafts_can_be_asked_for(url: str) -> None:
    async with by_http(url) as client:
        changed = await call(client, "what_changed", since="-1h")
        assert [one["to"] for one in changed["data"]["changes"]] == ["v41"]
        graph = await call(client, "upstream", entity="checkout")
        assert RANKER in {one["base"] for one in graph["data"]["entities"]}
        hit = await call(client, "downstream", entity="ranker")
        assert hit["data"]["owners"] == ["team-ranking", "team-shop"]
        answer = await call(client, "investigate", entity=CHECKOUT, signal="errors", detected_at=NOTICED)
        draft = await call(client, "draft_postmortem", investigation_id=answer["data"]["id"])
        assert draft["data"]["trigger"]["change"]["to"] == "v41"
        assert "Where were you lucky?" in draft["open_questions"]


async def test_verdict_that_an_agent_passes_on_is_kept(url: str) -> None:
    async with by_http(url) as client:
        answer = await call(client, "investigate", entity=CHECKOUT, signal="errors", detected_at=NOTICED)
        answer_id, change_id = answer["data"]["id"], answer["data"]["suspects"][0]["change"]["id"]
        await call(client, "record_verdict", investigation_id=answer_id, verdict="confirmed", change_id=change_id)
        timeline = await call(client, "timeline", investigation_id=answer_id)
    assert f"confirmed: {change_id}" in [one["what"] for one in timeline["data"]["timeline"]]


async def test_unknown_name_is_an_error_that_names_what_is_near(url: str) -> None:
    async with by_http(url) as client:
        result = await client.call_tool("upstream", {"entity": "chekout"})
    assert result.is_error
    assert CHECKOUT in str(result.content)


async def test_without_a_token_nobody_gets_in(tmp_path: Path) -> None:
    with live_api(tmp_path, shop(), at(END), tokens="read:sesame") as guarded:
        async with httpx.AsyncClient(base_url=guarded) as client:
            assert (await client.post("/mcp", json={})).status_code == 401


async def test_text_that_was_cut_says_so(tmp_path: Path) -> None:
    with live_api(tmp_path, shop(), at(END)) as address:
        record(address, 45, **{"from": "a-version-with-a-long-name" * 3})
        async with by_http(address) as client:
            result = await client.call_tool("what_changed", {"since": "-1m"})
    (block,) = result.content
    assert isinstance(block, TextContent)
    assert len(block.text) == MOST_TEXT_CHARS
    assert block.text.endswith(CUT)
    assert result.structured_content
    assert len(result.structured_content["data"]["changes"]) == 45
    assert result.structured_content["truncated"]
    assert result.structured_content["cursor"] is None


async def test_data_that_was_cut_says_so_and_lures_nobody_past_what_was_cut(tmp_path: Path) -> None:
    with live_api(tmp_path, shop(), at(END)) as address:
        record(address, 60, summary="x" * 900, actor="y" * 250)
        async with by_http(address) as client:
            found = await call(client, "what_changed", since="-2m")
    assert 0 < len(found["data"]["changes"]) < 50
    assert len(json.dumps(found["data"])) <= MOST_DATA_CHARS
    assert found["truncated"]
    assert found["cursor"] is None


async def test_what_fits_is_told_whole(url: str) -> None:
    async with by_http(url) as client:
        assert not (await call(client, "what_changed", since="-1h"))["truncated"]


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, "<html>Bad Gateway</html>"), (503, ""), (403, '{"message": "blocked"}'), (500, "[]"), (200, "<html>hello")],
)
async def test_answer_of_something_in_between_is_an_error_that_says_what_to_do(status: int, body: str) -> None:
    proxy = httpx.MockTransport(lambda _: httpx.Response(status, text=body))
    async with Client(create_server(Asker("http://whence.example", transport=proxy))) as client:
        result = await client.call_tool("what_changed", {})
    assert result.is_error
    assert f"answered {status}" in str(result.content)
    assert "http://whence.example/healthz" in str(result.content)


async def test_evidence_for_a_change_that_was_not_considered_is_an_error_that_names_those_that_were(url: str) -> None:
    async with by_http(url) as client:
        found = await call(client, "investigate", entity=CHECKOUT, signal="errors", detected_at=NOTICED)
        asked = {"investigation_id": found["data"]["id"], "change_id": "chg-of-nobody"}
        result = await client.call_tool("get_evidence", asked)
    assert result.is_error
    assert "chg-of-nobody" in str(result.content)
    assert found["data"]["suspects"][0]["change"]["id"] in str(result.content)


async def test_health_of_data_with_many_changes_goes_on_where_its_page_ends(tmp_path: Path) -> None:
    with live_api(tmp_path, shop(), at(END)) as address:
        record(address, 60)
        async with by_http(address) as client:
            first = await call(client, "data_health", dataset=RANKER)
            last = await call(client, "data_health", dataset=RANKER, cursor=first["cursor"])
    assert first["truncated"]
    assert not last["truncated"]
    assert last["cursor"] is None
    told = [change["to"] for found in (first, last) for change in found["data"]["changes"]]
    assert told == [f"c{i}" for i in range(60)]


async def test_similar_incidents_are_other_troubles_of_the_same_kind(tmp_path: Path) -> None:
    with live_api(tmp_path, shop(), at(END)) as address:
        async with by_http(address) as client:
            first = await call(
                client, "investigate", entity=CHECKOUT, signal="errors", detected_at=format_time(at(END))
            )
            again = await call(
                client, "investigate", entity=CHECKOUT, signal="errors", detected_at=format_time(at(END - 5))
            )
            found = await call(client, "similar_incidents", investigation_id=first["data"]["id"])
    assert first["data"]["id"] != again["data"]["id"]
    assert (found["data"], found["truncated"]) == ({"items": [], "truncated": False}, False)
