from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import Api
from tests.integration.shop import CHECKOUT, END, RANKER, ROLL_OUT
from whence.model.times import format_time
from whence.testing.graphs import at, delta, entity, services

PATH = "/api/v1/changes"
FULL = {
    "id": "dep-812",
    "kind": "deployment",
    "subject": "otel://shop#ranker",
    "from": "v40",
    "to": "v41",
    "environment": "production",
    "effective_at": format_time(at(100)),
    "finished_at": format_time(at(160)),
    "actor": "ada",
    "url": "https://ci.example/812",
    "summary": "Rank by margin",
}


async def test_change_comes_back_as_it_was_posted(api: Api) -> None:
    stored = await api.post(PATH, FULL)
    assert {name: stored[name] for name in FULL} == FULL
    assert stored["recorded"] is True
    assert stored["known_at"] == format_time(at(END))
    assert await api.get(f"{PATH}/dep-812") == stored


async def test_one_gets_201_and_a_list_gets_a_list(api: Api) -> None:
    one = await api.client.post(PATH, json=FULL)
    many = await api.client.post(PATH, json=[FULL, {**FULL, "id": "dep-813"}])
    assert (one.status_code, many.status_code) == (201, 201)
    assert [change["id"] for change in many.json()] == ["dep-812", "dep-813"]


async def test_change_posted_twice_is_one_change(api: Api) -> None:
    await api.post(PATH, FULL)
    api.now_ns += 10**9
    again = await api.post(PATH, FULL)
    assert again["known_at"] == format_time(at(END))
    assert len((await api.get(PATH))["items"]) == 1


async def test_later_report_under_one_id_corrects_the_change(api: Api) -> None:
    await api.post(PATH, FULL)
    api.now_ns += 10**9
    await api.post(PATH, {**FULL, "to": "v42"})
    assert (await api.get(f"{PATH}/dep-812"))["to"] == "v42"


async def test_change_without_id_gets_one(api: Api) -> None:
    stored = await api.post(PATH, {"kind": "config", "subject": "checkout"})
    assert await api.get(f"{PATH}/{stored['id']}") == stored
    assert stored["effective_at"] == format_time(at(END))


async def test_bare_name_becomes_the_reference_of_the_one_that_bears_it(shop_api: Api) -> None:
    assert (await shop_api.post(PATH, {**FULL, "subject": "ranker"}))["subject"] == RANKER


async def test_bare_name_that_nothing_bears_is_kept(api: Api) -> None:
    assert (await api.post(PATH, {**FULL, "subject": "ranker"}))["subject"] == "ranker"


async def test_bare_name_that_several_bear_is_refused_with_the_candidates(api: Api) -> None:
    await api.store.upsert(delta(*services(["ranker"]), entity("otel://other#ranker")))
    problem = await api.problem("POST", PATH, 422, json={**FULL, "subject": "ranker"})
    assert problem["candidates"] == ["otel://other#ranker", "otel://shop#ranker"]
    assert [error["pointer"] for error in problem["errors"]] == ["/subject"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"kind": "rollout"}, "/kind"),
        ({"kind": "staleness"}, "/kind"),
        ({"subject": None}, "/subject"),
        ({"effective_at": "soon"}, "/effective_at"),
        ({"url": "javascript:alert(1)"}, "/url"),
    ],
)
async def test_bad_field_is_named_by_its_pointer(api: Api, fields: dict[str, Any], pointer: str) -> None:
    one = await api.problem("POST", PATH, 422, json={**FULL, **fields})
    many = await api.problem("POST", PATH, 422, json=[FULL, {**FULL, **fields}])
    assert [error["pointer"] for error in one["errors"]] == [pointer]
    assert [error["pointer"] for error in many["errors"]] == [f"/1{pointer}"]


async def test_list_with_one_bad_change_records_none(api: Api) -> None:
    await api.problem("POST", PATH, 422, json=[FULL, {**FULL, "effective_at": "soon"}])
    assert (await api.get(PATH))["items"] == []


async def test_reference_that_does_not_parse_is_told_with_grammar_and_position(api: Api) -> None:
    problem = await api.problem("POST", PATH, 422, json={**FULL, "subject": "otel://shop#a@Version:1"})
    assert problem["position"] == 14
    assert "namespace" in problem["grammar"]


async def test_list_holds_recorded_changes_and_versions_that_nobody_announced(shop_api: Api) -> None:
    listed = await shop_api.get(PATH)
    assert [(one["subject"], one["to"], one["recorded"]) for one in listed["items"]] == [(RANKER, "v41", False)]
    rolled_out = {"environment": None, "effective_at": format_time(at(ROLL_OUT)), "finished_at": None}
    await shop_api.post(PATH, {**FULL, **rolled_out})
    await shop_api.post(PATH, {**FULL, "id": "cfg-1", "kind": "config", "subject": CHECKOUT})
    listed = await shop_api.get(PATH)
    assert [one["id"] for one in listed["items"]] == ["dep-812", "cfg-1"]


async def test_list_of_one_entity_leaves_the_others_out(shop_api: Api) -> None:
    await shop_api.post(PATH, {**FULL, "id": "cfg-1", "kind": "config", "subject": CHECKOUT})
    assert [one["id"] for one in (await shop_api.get(PATH, entity="checkout"))["items"]] == ["cfg-1"]
    assert [one["to"] for one in (await shop_api.get(PATH, entity="ranker"))["items"]] == ["v41"]


async def test_window_is_closed_at_the_start_and_open_at_the_end(api: Api) -> None:
    await api.post(PATH, FULL)
    at_100, later = FULL["effective_at"], format_time(at(200))
    assert len((await api.get(PATH, **{"from": at_100, "to": later}))["items"]) == 1
    assert len((await api.get(PATH, **{"from": format_time(at(0)), "to": at_100}))["items"]) == 0


async def test_pages_hold_every_change_once_in_one_order(shop_api: Api) -> None:
    times = [100 + n // 3 if n < 12 else ROLL_OUT + n // 3 for n in range(20)]
    changed = {**FULL, "subject": CHECKOUT, "finished_at": None}
    reports = [{**changed, "id": f"c-{n:02}", "effective_at": format_time(at(one))} for n, one in enumerate(times)]
    await shop_api.post(PATH, reports)
    whole = [one["id"] for one in (await shop_api.get(PATH, limit=200))["items"]]
    paged: list[str] = []
    path = f"{PATH}?limit=7"
    while path:
        response = await shop_api.client.get(path)
        paged += [one["id"] for one in response.json()["items"]]
        link = response.headers.get("link", "")
        assert bool(link) == bool(response.json()["next"])
        path = link.partition("<")[2].partition(">")[0]
    assert paged == whole
    assert len(set(paged)) == 21


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"limit": 201}, "limit"),
        ({"limit": 0}, "limit"),
        ({"cursor": "made-up"}, "cursor"),
        ({"from": "-1h", "to": "-2h"}, "from"),
        ({"from": "x"}, "from"),
        ({"known_at": "x"}, "known_at"),
    ],
)
async def test_bad_parameter_is_named(api: Api, params: dict[str, Any], parameter: str) -> None:
    problem = await api.problem("GET", PATH, 422, params=params)
    assert [error["parameter"] for error in problem["errors"]] == [parameter]


async def test_unknown_change_is_not_found(api: Api) -> None:
    await api.problem("GET", f"{PATH}/dep-0", 404)
