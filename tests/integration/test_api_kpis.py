"""Figures over the API on every store: the planted slow refresh is found, and every figure leads to its facts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import Api
from tests.integration.planted import CLICKS, DECLARED, PAYMENT, RANKER, SCORER

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
