"""Links to the operator's other tools: on incidents, things and undeclared dependencies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.api import running_api
from tests.integration.planted import CUSTOMERS, DECLARED, NOW_NS, REPORTS, TRACES, planted
from whence.errors import ConfigError
from whence.settings import load_settings

TRACE = f"{1_000 + TRACES:032x}"
LINKS = (
    "logs=https://logs.example.org/{namespace}/{name}?from={from_ms}&to={to_ms}",
    "traces=https://traces.example.org/trace/{trace_id}?env={environment}",
    "prod only=https://dash.example.org/{environment}",
)
HOSTILE = 'a" onclick="alert(1)/../x'


async def test_links_lead_to_the_place_and_time_that_an_answer_is_about(tmp_path: Path) -> None:
    async with running_api(tmp_path, links=LINKS) as api:
        await api.store.upsert(planted())
        entity = await api.get("/api/v1/entities/reports")
        hour_ms = 3_600_000 + 2 * 900_000
        (logs,) = entity["links"]
        begin, end = (int(part.partition("=")[2]) for part in logs["url"].partition("?")[2].split("&"))
        assert (logs["name"], logs["url"].partition("?")[0]) == ("logs", "https://logs.example.org/shop/reports")
        assert end - begin == hour_ms
        opened = await api.post(
            "/api/v1/incidents", {"title": "late", "entity": "reports", "environment": "production"}
        )
        incident = await api.get(f"/api/v1/incidents/{opened['id']}")
        assert [one["name"] for one in incident["links"]] == ["logs", "prod only"]
        page = (await api.client.get(f"/incidents/{opened['id']}", headers={"accept": "text/html"})).text
        assert 'href="https://dash.example.org/production"' in page


async def test_traces_of_an_undeclared_dependency_can_be_opened(tmp_path: Path) -> None:
    async with running_api(tmp_path, links=LINKS) as api:
        api.now_ns = NOW_NS
        await api.store.upsert(planted())
        files = [{"path": "whence.yaml", "text": DECLARED}]
        await api.post("/api/v1/declarations", {"name": "shop", "revision": "1", "files": files})
        found = (await api.get("/api/v1/undeclared", entity="reports", **{"from": "-3h"}))["items"]
        (reader,) = (one for one in found if (one["dependent"], one["dependency"]) == (REPORTS, CUSTOMERS))
        address = f"https://traces.example.org/trace/{TRACE}?env=production"
        assert reader["links"] == [{"name": "traces", "url": address}]
        page = await api.client.get("/dependencies?from=-3h", headers={"accept": "text/html"})
        assert f'href="{address}"' in page.text


async def test_text_of_strangers_can_not_change_where_a_link_leads(tmp_path: Path) -> None:
    async with running_api(tmp_path, links=LINKS) as api:
        await api.store.upsert(planted())
        opened = await api.post("/api/v1/incidents", {"title": "late", "entity": "reports", "environment": HOSTILE})
        incident = await api.get(f"/api/v1/incidents/{opened['id']}")
        url = incident["links"][1]["url"]
        assert url == "https://dash.example.org/a%22%20onclick%3D%22alert%281%29%2F..%2Fx"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://a.example.org/{name}", "a name and an address"),
        ("logs=javascript:alert(1)", "a name and an address"),
        ("logs=https://{name}/x", "a name and an address"),
        ("logs=https://a.example.org/{host}", "nothing is called {host}"),
    ],
)
def test_link_that_can_not_work_is_refused_at_start(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_settings(links=text)
