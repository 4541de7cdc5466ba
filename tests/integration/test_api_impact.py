"""Blast radius: who is hit by a version, how hard, who has to be told, and who never declared it; on every store."""

from __future__ import annotations

from typing import Any

from tests.integration.api import Api
from tests.integration.planted import (
    CLICKS,
    CREDIT,
    CUSTOMERS,
    DECLARED,
    DEMOGRAPHICS,
    NOW_NS,
    PAYMENT,
    RANKER,
    RANKING,
    REPORTS,
    STOREFRONT,
    TRACES,
)
from whence.model.times import format_time

WINDOW = {"from": "-3h"}


async def hit(api: Api, entity: str) -> dict[str, Any]:
    body = await api.get("/api/v1/downstream", entity=entity, **WINDOW)
    return {one["entity"]: one for one in body["impact"]}


async def declare(api: Api) -> None:
    body = {"name": "shop", "files": [{"path": "whence.yaml", "text": DECLARED}]}
    await api.post("/api/v1/declarations", body)


async def test_data_reaches_services_through_training_and_model(planted_api: Api) -> None:
    await declare(planted_api)
    found = await hit(planted_api, f"{DEMOGRAPHICS}@opaque:11-01")
    assert {key: one["hops"] for key, one in found.items() if key in (CREDIT, STOREFRONT)} == {CREDIT: 2, STOREFRONT: 3}
    assert (found[CREDIT]["calls"], found[CREDIT]["environments"]) == (TRACES, ["production"])
    assert found[STOREFRONT]["owner"] == "team-shop"
    assert REPORTS not in found


async def test_one_version_is_hit_by_its_own_traffic_alone(planted_api: Api) -> None:
    await declare(planted_api)
    of_all = await hit(planted_api, "payment")
    of_one = await hit(planted_api, f"{PAYMENT}@version:v1")
    assert (of_all[STOREFRONT]["calls"], of_one[STOREFRONT]["calls"]) == (TRACES, TRACES / 2)


async def test_dependents_that_never_declared_it_are_marked(planted_api: Api) -> None:
    await declare(planted_api)
    assert (await hit(planted_api, CUSTOMERS))[REPORTS]["undeclared"] == [CUSTOMERS]
    assert (await hit(planted_api, "payment"))[STOREFRONT]["undeclared"] == []


async def test_message_names_owners_and_what_they_own(planted_api: Api) -> None:
    await declare(planted_api)
    body = await planted_api.get("/api/v1/downstream", entity=CUSTOMERS, **WINDOW)
    assert body["message"].splitlines() == [
        "**shop.public.customers** is about to change. 1 thing depends on it:",
        "",
        f"- team-reports: reports (directly, {TRACES} calls, undeclared)",
    ]
    assert body["owners"] == ["team-reports"]


async def derive_features(api: Api) -> None:
    """A job makes features of two columns of clicks, and measures clicks on the way."""
    item = {"namespace": "postgres://db:5432", "name": "shop.public.clicks", "field": "item_id"}
    columns = {"rate": {"inputFields": [item]}, "total": {"inputFields": [item | {"field": "amount"}]}}
    measured = {"columnMetrics": {"item_id": {"count": 2}, "amount": {"count": 2}, "referrer": {"count": 2}}}
    clicks = {"namespace": "postgres://db:5432", "name": "shop.public.clicks"}
    facets = {"version": {"datasetVersion": "11-22"}, "dataQualityMetrics": measured}
    features = {"namespace": "s3://lake", "name": "features", "facets": {"columnLineage": {"fields": columns}}}
    event = {
        "eventTime": format_time(NOW_NS - 10**9),
        "eventType": "COMPLETE",
        "run": {"runId": "0f1e2d3c-0000-0000-0000-000000000001"},
        "job": {"namespace": "jobs", "name": "features"},
        "inputs": [clicks | {"inputFacets": facets}],
        "outputs": [features],
    }
    await api.post("/api/v1/lineage", event)


async def test_change_of_a_column_hits_what_is_made_from_it_and_perhaps_what_says_nothing(planted_api: Api) -> None:
    says = DECLARED.replace("reads: [clicks]", "reads: [{name: clicks, columns: [item_id]}]")
    await planted_api.post("/api/v1/declarations", {"name": "shop", "files": [{"path": "whence.yaml", "text": says}]})
    await derive_features(planted_api)
    asked = {"entity": CLICKS, **WINDOW}
    body = await planted_api.get("/api/v1/downstream", **asked, if_changed="schema:amount")
    found = {one["entity"]: (one["known"], one["columns"]) for one in body["impact"]}
    assert found["s3://lake#features"] == (True, ["total"])
    assert found["jobs#features"] == (True, None)
    assert found[RANKER] == (False, None)
    assert found[RANKING] == (False, None)  # it reads another column, but uses a model made of who knows which
    assert body["message"].startswith("Column **amount** of **shop.public.clicks** is about to change.")
    of_item = await planted_api.get("/api/v1/downstream", **asked, if_changed="schema:item_id")
    assert {one["entity"]: one["known"] for one in of_item["impact"]}[RANKING]


async def test_slip_in_the_name_of_a_column_is_refused_where_columns_are_known(planted_api: Api) -> None:
    await derive_features(planted_api)
    asked = {"entity": CLICKS, "if_changed": "schema:amuont", **WINDOW}
    problem = await planted_api.problem("GET", "/api/v1/downstream", 422, params=asked)
    assert "did you mean amount?" in problem["detail"]
    await planted_api.problem("GET", "/api/v1/downstream", 422, params=asked | {"if_changed": "rows:amount"})


async def test_calls_are_split_by_environment(planted_api: Api) -> None:
    assert (await hit(planted_api, "payment"))[STOREFRONT]["calls_in"] == {"production": TRACES}
