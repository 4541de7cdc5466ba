"""Blast radius: who is hit by a version, how hard, who has to be told, and who never declared it; on every store."""

from __future__ import annotations

from typing import Any

from tests.integration.api import Api
from tests.integration.planted import CREDIT, CUSTOMERS, DECLARED, DEMOGRAPHICS, PAYMENT, REPORTS, STOREFRONT, TRACES

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
