"""The graph for other tools, over HTTP."""

from __future__ import annotations

import pytest

from tests.integration.api import Api
from tests.integration.shop import CHECKOUT, RANKER


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("mermaid", "text/vnd.mermaid"),
        ("dot", "text/vnd.graphviz"),
        ("graphml", "application/graphml+xml"),
        ("csv", "text/csv"),
    ],
)
async def test_graph_is_written_in_the_format_that_was_asked_for(shop_api: Api, form: str, media_type: str) -> None:
    response = await shop_api.client.get("/api/v1/export", params={"entity": "checkout", "format": form})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(media_type)
    assert "ranker" in response.text


async def test_both_ways_can_be_exported(shop_api: Api) -> None:
    params = {"entity": "ranker", "format": "csv"}
    up = (await shop_api.client.get("/api/v1/export", params=params)).text
    down = (await shop_api.client.get("/api/v1/export", params=params | {"way": "downstream"})).text
    assert len(up.splitlines()) == 1
    assert down.splitlines()[1].split(",")[:4] == [CHECKOUT, "service", "CALLS", RANKER]


async def test_grafana_gets_frames_with_the_columns_that_it_was_told(shop_api: Api) -> None:
    root = "/api/v1/grafana/api"
    fields = await shop_api.get(f"{root}/graph/fields")
    frames = await shop_api.get(f"{root}/graph/data", entity="checkout")
    assert {one["id"] for one in frames["nodes"]} == {CHECKOUT, RANKER}
    assert [(one["source"], one["target"]) for one in frames["edges"]] == [(CHECKOUT, RANKER)]
    for rows, name in (("nodes", "nodes_fields"), ("edges", "edges_fields")):
        assert {one["field_name"] for one in fields[name]} == frames[rows][0].keys()
    assert (await shop_api.get(f"{root}/health")) == {"status": "ok"}


async def test_unknown_entity_and_format_are_told(shop_api: Api) -> None:
    await shop_api.problem("GET", "/api/v1/export", 404, params={"entity": "planets"})
    await shop_api.problem("GET", "/api/v1/export", 422, params={"entity": "checkout", "format": "pdf"})
