"""Forbidden uses are found by path, version and time, and nothing else is, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import Api
from tests.integration.planted import CREDIT, DECLARED, DEMOGRAPHICS, RANKING, SCORER, STOREFRONT, TRACES

WINDOW = {"from": "-4h"}
POLICIES = """\
whence: 1
policies:
  - name: no-demographics-in-credit
    because: the law
    forbid: label == "demographics" && "credit_decision" in dependent.purposes
"""


@pytest.fixture
async def governed_api(planted_api: Api) -> Api:
    await declare(planted_api, DECLARED)
    response = await planted_api.client.put("/api/v1/policies/law.yaml", content=POLICIES)
    assert response.status_code == 200, response.text
    return planted_api


async def declare(api: Api, text: str, name: str = "shop") -> None:
    await api.post("/api/v1/declarations", {"name": name, "files": [{"path": "whence.yaml", "text": text}]})


async def violations(api: Api, **params: Any) -> Any:
    return await api.get("/api/v1/violations", **{**WINDOW, **params})


async def test_planted_forbidden_use_is_found_and_nothing_else(governed_api: Api) -> None:
    body = await violations(governed_api)
    (found,) = body["items"]
    assert (found["dependent"], found["label"], found["environment"]) == (CREDIT, "demographics", "production")
    assert found["versions"] == [f"{CREDIT}@version:v3"]
    assert found["path"] == [f"{CREDIT}@version:v3", f"{SCORER}@version:5", f"{DEMOGRAPHICS}@opaque:11-01"]
    assert (found["owner"], found["because"], body["passed"]) == ("team-credit", "the law", False)
    assert found["first_seen_at"] < found["last_seen_at"]


async def test_training_that_only_a_file_states_counts(governed_api: Api) -> None:
    stated = "whence: 1\nthings: [{name: ranker, kind: model, trained_on: [demographics]}, {name: ranking, %s}]"
    await declare(governed_api, stated % "purposes: [credit_decision]", "more")
    body = await violations(governed_api)
    assert {one["dependent"] for one in body["items"]} == {CREDIT, RANKING}


async def test_declassification_with_who_and_why_ends_it(governed_api: Api) -> None:
    decided = f"declassify: [{{subject: '{SCORER}', label: demographics, by: dpo, reason: sums over 50 people}}]"
    await declare(governed_api, f"whence: 1\n{decided}", "decisions")
    assert await violations(governed_api) == {"passed": True, "items": [], "truncated": False}
    await governed_api.client.delete("/api/v1/declarations/decisions")
    assert len((await violations(governed_api))["items"]) == 1


async def test_as_of_a_time_before_the_use_there_was_none(governed_api: Api) -> None:
    assert (await violations(governed_api, to="-2h"))["items"] == []
    assert (await violations(governed_api, environment="staging"))["items"] == []


async def test_dry_run_reports_and_passes(governed_api: Api) -> None:
    stricter = POLICIES + '  - {name: nobody, forbid: label == "demographics", enforce: false}\n'
    body = {"policies": stricter.replace("because", "enforce: false\n    because")}
    found = await governed_api.client.post("/api/v1/policies/check", json=body, params=WINDOW)
    answer = found.json()
    assert answer["passed"] is True
    assert {(one["policy"], one["dependent"]) for one in answer["items"]} >= {
        ("nobody", STOREFRONT),
        ("no-demographics-in-credit", CREDIT),
    }
    assert len((await violations(governed_api))["items"]) == 1


async def test_gate_answers_before_the_use_begins(governed_api: Api) -> None:
    purposeful = DECLARED.replace("owner: team-ranking", "owner: team-ranking\n    purposes: [credit_decision]")
    await declare(governed_api, purposeful)
    about = {"dependent": "ranking"}
    free = await governed_api.client.post("/api/v1/policies/check", json=about, params=WINDOW)
    assert free.json()["passed"] is True
    planned = await governed_api.client.post(
        "/api/v1/policies/check", json=about | {"uses": [f"{SCORER}@version:5"]}, params=WINDOW
    )
    (found,) = planned.json()["items"]
    assert (found["dependent"], planned.json()["passed"]) == (RANKING, False)
    await governed_api.problem("POST", "/api/v1/policies/check", 422, json={"uses": ["x"]})


async def test_policies_are_listed_replaced_and_removed(governed_api: Api) -> None:
    (one,) = (await governed_api.get("/api/v1/policies"))["items"]
    assert (one["name"], one["file"], one["line"]) == ("no-demographics-in-credit", "law.yaml", 3)
    problem = await governed_api.problem("PUT", "/api/v1/policies/law.yaml", 422, content="policies: [{name: a}]")
    assert "'forbid' are required" in problem["detail"]
    response = await governed_api.client.delete("/api/v1/policies/law.yaml")
    assert response.status_code == 204
    assert await violations(governed_api) == {"passed": True, "items": [], "truncated": False}
    await governed_api.problem("DELETE", "/api/v1/policies/law.yaml", 404)


async def test_evidence_counts_the_requests_that_touched_a_descendant(governed_api: Api) -> None:
    body = await governed_api.get("/api/v1/evidence", entity=DEMOGRAPHICS, **WINDOW)
    found = {(one["service"], one["touched"], one["requests"]) for one in body["items"]}
    scorer = f"{SCORER}@version:5"
    assert found == {(CREDIT, scorer, TRACES), (STOREFRONT, scorer, TRACES)}
    assert body["items"][0]["path"] == [scorer, f"{DEMOGRAPHICS}@opaque:11-01"]
    earlier = await governed_api.get("/api/v1/evidence", entity=DEMOGRAPHICS, **{**WINDOW, "to": "-2h"})
    assert earlier["items"] == []
