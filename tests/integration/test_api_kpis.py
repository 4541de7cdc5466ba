"""Figures over the API on every store: the planted slow refresh is found, and every figure leads to its facts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import Api
from tests.integration.planted import CLICKS, DECLARED, DEMOGRAPHICS, PAYMENT, RANKER, SCORER

WINDOW = {"from": "-4h"}


@pytest.fixture
async def owned_api(planted_api: Api) -> Api:
    body = {"name": "shop", "files": [{"path": "whence.yaml", "text": DECLARED}]}
    await planted_api.post("/api/v1/declarations", body)
    return planted_api


async def figures(api: Api, **params: Any) -> dict[tuple[str, str | None], Any]:
    body = await api.get("/api/v1/kpis", **WINDOW, **params)
    return {(one["name"], one["team"]): one for one in body["items"]}


async def test_planted_slow_refresh_is_found_and_nothing_else(owned_api: Api) -> None:
    found = await figures(owned_api)
    late = found["late_refreshes", None]
    assert (late["value"], late["facts"]) == (1, 1)
    facts = (await owned_api.client.get(late["facts_url"])).json()["items"]
    assert [(one["subject"], one["owner"], one["value"]) for one in facts] == [(CLICKS, "team-data", 2400.0)]
    interval = found["refresh_interval", None]
    assert (interval["value"], interval["p95"], interval["facts"]) == (600.0, 2400.0, 5)


async def test_figures_are_of_everybody_and_of_each_team(owned_api: Api) -> None:
    found = await figures(owned_api)
    assert found["refreshes", "team-data"]["value"] == 7  # six of clicks, and the only one of demographics
    assert ("refreshes", "team-pay") not in found
    alone = await figures(owned_api, team="team-pay")
    assert {team for _, team in alone} == {"team-pay"}
    assert (alone["releases", "team-pay"]["value"], alone["refreshes", "team-pay"]["value"]) == (1, 0)
    facts = (await owned_api.client.get(alone["releases", "team-pay"]["facts_url"])).json()["items"]
    assert [one["subject"] for one in facts] == [PAYMENT]


async def test_models_shipped_and_their_age_are_told_and_too_little_is_admitted(owned_api: Api) -> None:
    found = await figures(owned_api, pillar="model")
    assert found["versions_shipped", None]["value"] == 2
    assert found["failures", None]["value"] == 0
    staleness = found["staleness", None]
    assert (staleness["value"], staleness["reason"]) == (None, "not enough data: 2 facts, 5 are needed")
    facts = (await owned_api.client.get(staleness["facts_url"])).json()["items"]
    assert {one["subject"] for one in facts} == {RANKER, SCORER}
    assert all(one["pillar"] == "model" for one in found.values())


async def test_unknown_figure_names_those_that_there_are(owned_api: Api) -> None:
    problem = await owned_api.problem("GET", "/api/v1/kpis/velocity", 404)
    assert "late_refreshes" in problem["detail"]


PRODUCTS = """\
whence: 1
products:
  - name: recommendations
    owner: team-shop
    things: [ranking]
    kpis: [{name: conversion, unit: share, driven_by: [refresh_interval, releases, velocity]}]
  - {name: loans, things: [credit], kpis: [{name: approvals}]}
"""


async def register(api: Api) -> None:
    body = {"name": "products", "files": [{"path": "whence.yaml", "text": PRODUCTS}]}
    await api.post("/api/v1/declarations", body)


async def test_figures_show_which_figures_of_products_they_drive(owned_api: Api) -> None:
    await register(owned_api)
    found = await figures(owned_api)
    conversion = {"product": "recommendations", "kpi": "conversion"}
    approvals = {"product": "loans", "kpi": "approvals"}
    assert found["refresh_interval", None]["drives"] == [conversion]  # of clicks, on which credit does not rest
    assert found["releases", None]["drives"] == []  # of payment alone, on which neither rests
    assert found["freshness", None]["drives"] == [approvals]
    assert sum(found["refreshes", None]["trend"]) == found["refreshes", None]["value"]


async def test_product_has_the_figures_of_all_that_it_rests_on(owned_api: Api) -> None:
    await register(owned_api)
    loans = await figures(owned_api, product="loans")
    facts = (await owned_api.client.get(loans["freshness", None]["facts_url"])).json()["items"]
    assert {one["subject"] for one in facts} == {DEMOGRAPHICS}
    assert loans["versions_shipped", None]["value"] == 1
    products = (await owned_api.get("/api/v1/products"))["items"]
    assert [(one["name"], one["file"], one["line"]) for one in products] == [
        ("loans", "whence.yaml", 7),
        ("recommendations", "whence.yaml", 3),
    ]
    assert [kpi["unknown"] for one in products for kpi in one["kpis"]] == [[], ["velocity"]]
    problem = await owned_api.problem("GET", "/api/v1/kpis", 404, params={"product": "cars"})
    assert "loans, recommendations" in problem["detail"]
    await owned_api.client.delete("/api/v1/declarations/products")
    assert (await owned_api.get("/api/v1/products"))["items"] == []
