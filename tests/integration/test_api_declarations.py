"""Declarations in, and the report on what differs from production, on every store."""

from __future__ import annotations

from typing import Any

from tests.integration.api import Api
from tests.integration.planted import (
    CLICKS,
    CUSTOMERS,
    DECLARED,
    PAYMENT,
    REPORTS,
    STOREFRONT,
    STRIPE,
    TRACES,
)

WINDOW = {"from": "-3h"}


async def declare(api: Api, text: str = DECLARED, name: str = "shop", revision: str = "9d59409") -> Any:
    body = {"name": name, "revision": revision, "files": [{"path": "whence.yaml", "text": text}]}
    return await api.post("/api/v1/declarations", body)


async def report(api: Api, **params: Any) -> Any:
    return await api.get("/api/v1/undeclared", **WINDOW, **params)


def found(body: Any) -> set[tuple[str, str, str, str]]:
    return {(one["status"], one["dependent"], one["dependency"], one["reason"]) for one in body["items"]}


async def test_planted_differences_are_found_and_nothing_else(planted_api: Api) -> None:
    await declare(planted_api)
    body = await report(planted_api)
    assert found(body) == {
        ("undeclared", REPORTS, CUSTOMERS, "not_declared"),
        ("undeclared", PAYMENT, STRIPE, "only_allowed"),
        ("undeclared", "jobs#train-ranker", CLICKS, "not_declared"),
        ("undeclared", "jobs#train-scorer", "postgres://db:5432#shop.public.demographics", "not_declared"),
        ("unused", STOREFRONT, "search", "never_observed"),
        ("blind_spot", REPORTS, "mailer", "no_calls_seen"),
        ("unexpected_version", STOREFRONT, PAYMENT, "other_version"),
    }
    assert body["counts"] == {"undeclared": 4, "unused": 1, "blind_spot": 1, "unexpected_version": 1}


async def test_finding_names_owners_volume_times_and_lines(planted_api: Api) -> None:
    await declare(planted_api)
    (reader,) = (await report(planted_api, entity="reports", status="undeclared"))["items"]
    assert (reader["dependent_owner"], reader["dependency_owner"]) == ("team-reports", "team-crm")
    assert (reader["calls"], reader["environment"], reader["types"]) == (TRACES, "production", ["READS"])
    assert reader["first_seen_at"] < reader["last_seen_at"]
    assert reader["traces"] == [f"{1_000 + TRACES:032x}"]
    (version,) = (await report(planted_api, status="unexpected_version"))["items"]
    assert version["versions"] == [f"{PAYMENT}@version:v1"]
    assert version["declared"] == [
        {
            "source": "shop",
            "revision": "9d59409",
            "file": "whence.yaml",
            "line": 5,
            "layer": "declared",
            "versions": ["v2"],
        }
    ]


async def test_finding_names_the_latest_trace_of_each_version_and_none_beyond_the_window(planted_api: Api) -> None:
    await declare(planted_api, "whence: 1")
    (call,) = (await report(planted_api, entity="payment", status="undeclared"))["items"][:1]
    assert (call["dependent"], call["dependency"]) == (PAYMENT, STRIPE)
    assert call["traces"] == [f"{trace:032x}" for trace in (TRACES, TRACES // 2)]
    early = await planted_api.get("/api/v1/undeclared", **{"from": "-3h", "to": "-3590s"}, entity="payment")
    assert [one["traces"] for one in early["items"] if one["dependency"] == STRIPE] == [[]]


async def test_report_filters_by_owner_and_environment_and_pages(planted_api: Api) -> None:
    await declare(planted_api)
    assert found(await report(planted_api, owner="team-crm")) == {("undeclared", REPORTS, CUSTOMERS, "not_declared")}
    staging = await report(planted_api, environment="staging", status="undeclared")
    assert {(one["dependent"], one["environment"]) for one in staging["items"]} == {
        ("jobs#train-ranker", None),  # lineage events name no environment
        ("jobs#train-scorer", None),
    }
    first = await report(planted_api, limit=3)
    rest = await report(planted_api, limit=200, cursor=first["next"])
    assert len(first["items"]) == 3
    assert found(first) | found(rest) == found(await report(planted_api))
    assert rest["next"] is None


async def test_import_again_replaces_and_removal_leaves_no_trace(planted_api: Api) -> None:
    before = await report(planted_api)
    await declare(planted_api)
    declared = await report(planted_api)
    await declare(planted_api)
    assert await report(planted_api) == declared
    await declare(planted_api, "whence: 1\nthings: [{name: reports, reads: [customers]}]")
    assert ("unused", STOREFRONT, "search", "never_observed") not in found(await report(planted_api))
    response = await planted_api.client.delete("/api/v1/declarations/shop")
    assert response.status_code == 204
    assert await report(planted_api) == before
    assert await planted_api.get("/api/v1/declarations") == {"items": []}
    await planted_api.problem("DELETE", "/api/v1/declarations/shop", 404)


async def test_disagreeing_imports_are_both_shown(planted_api: Api) -> None:
    await declare(planted_api)
    await declare(planted_api, "whence: 1\nthings: [{name: payment, owner: team-money}]", "other", "")
    (one,) = (await report(planted_api))["disagreements"]
    assert (one["subject"], one["field"]) == (PAYMENT, "owner")
    assert {(side["value"], side["source"], side["line"]) for side in one["values"]} == {
        ("team-pay", "shop", 10),
        ("team-money", "other", 2),
    }


async def test_one_file_comes_in_as_a_body_of_any_format(planted_api: Api) -> None:
    compose = "services: {storefront: {depends_on: [ranking]}}"
    path = "/api/v1/declarations/acme/shop"
    response = await planted_api.client.put(path, content=compose, params={"path": "compose.yaml"})
    assert response.json()["files"] == [
        {"path": "compose.yaml", "format": "compose", "edges": 1, "things": 1, "problem": None}
    ]
    assert (await planted_api.get(path))["name"] == "acme/shop"
    broken = await planted_api.client.put(path, content="a: [", params={"path": "x.yaml"})
    assert "not YAML" in broken.json()["files"][0]["problem"]
    await planted_api.problem("PUT", path, 422, content=b"\xff")
    await planted_api.problem("POST", "/api/v1/declarations", 422, json={"files": []})
