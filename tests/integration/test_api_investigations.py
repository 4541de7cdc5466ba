from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import Api
from tests.integration.shop import CHECKOUT, CHECKOUT_V1, END, RANKER, RANKER_V41, ROLL_OUT
from whence.model.times import format_time
from whence.testing.graphs import at

PATH = "/api/v1/investigations"
QUESTION: dict[str, Any] = {
    "symptom": {"entity": CHECKOUT, "operation": "POST /pay", "signal": "errors"},
    "detected_at": format_time(at(END)),
    "onset": None,
    "environment": None,
    "as_of": None,
    "known_at": None,
    "limit": 10,
}
CHANGE = {
    "id": "dep-812",
    "kind": "deployment",
    "subject": RANKER,
    "from": "v40",
    "to": "v41",
    "environment": None,
    "effective_at": format_time(at(ROLL_OUT)),
}


async def test_investigation_names_the_recorded_change_and_keeps_its_id(shop_api: Api) -> None:
    await shop_api.post("/api/v1/changes", CHANGE)
    answer = await shop_api.post(PATH, QUESTION)
    suspect = answer["suspects"][0]
    assert answer["verdict"] == "suspect"
    assert suspect["change"]["id"] == "dep-812"
    assert suspect["change"]["recorded"] is True
    assert suspect["path"][0] == CHECKOUT
    assert suspect["path"][-1] == RANKER_V41


async def test_answer_has_the_agreed_shape(shop_api: Api) -> None:
    await shop_api.post("/api/v1/changes", CHANGE)
    answer = await shop_api.post(PATH, QUESTION)
    suspect = answer["suspects"][0]
    assert answer.keys() >= {"id", "as_of", "verdict", "headline", "onset", "suspects", "none", "ruled_out"}
    assert answer["onset"].keys() == {"at", "low", "high"}
    assert suspect.keys() >= {"rank", "probability", "band", "role", "change", "path", "evidence", "settle", "owner"}
    assert suspect["change"].keys() >= {"id", "kind", "subject", "from", "to", "effective_at", "recorded"}
    assert all(one.keys() == {"code", "direction", "weight", "sentence", "data"} for one in suspect["evidence"])
    assert answer["none"].keys() == {"probability", "reasons"}
    assert answer["completeness"].keys() == {"versions", "changes", "sampling", "gaps"}
    assert sum(one["probability"] for one in answer["suspects"]) + answer["none"]["probability"] <= 1 + 1e-9


async def test_version_that_nobody_recorded_is_a_suspect_all_the_same(shop_api: Api) -> None:
    answer = await shop_api.post(PATH, QUESTION)
    change = answer["suspects"][0]["change"]
    assert (change["subject"], change["from"], change["to"]) == (RANKER, "v40", "v41")
    assert change["recorded"] is False


async def test_answer_is_read_again_byte_for_byte_and_cached_by_its_tag(shop_api: Api) -> None:
    first = await shop_api.client.post(PATH, json=QUESTION)
    shop_api.now_ns += 10**12
    await shop_api.post("/api/v1/changes", CHANGE)
    again = await shop_api.client.get(first.headers["location"])
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    assert "immutable" in again.headers["cache-control"]
    cached = await shop_api.client.get(first.headers["location"], headers={"if-none-match": first.headers["etag"]})
    assert (cached.status_code, cached.content) == (304, b"")


async def test_same_question_on_the_same_facts_is_one_answer(shop_api: Api) -> None:
    first, again = await shop_api.post(PATH, QUESTION), await shop_api.post(PATH, QUESTION)
    assert first == again
    listed = await shop_api.get(PATH)
    assert [one["id"] for one in listed["items"]] == [first["id"]]


async def test_entity_may_be_a_bare_name_or_a_version(shop_api: Api) -> None:
    for entity in ("checkout", CHECKOUT_V1):
        answer = await shop_api.post(PATH, {**QUESTION, "symptom": {"entity": entity}})
        assert answer["symptom"]["entity"] == CHECKOUT


async def test_question_may_leave_out_all_but_the_entity(shop_api: Api) -> None:
    answer = await shop_api.post(PATH, {"symptom": {"entity": "checkout"}})
    assert answer["verdict"] in {"suspect", "tie", "none", "insufficient"}


async def test_too_little_data_is_an_answer_and_no_error(shop_api: Api) -> None:
    answer = await shop_api.post(PATH, {**QUESTION, "detected_at": format_time(at(10))})
    assert answer["verdict"] in {"insufficient", "none"}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"symptom": {"entity": CHECKOUT, "signal": "pain"}}, "/symptom/signal"),
        ({"symptom": {}}, "/symptom/entity"),
        ({"symptom": None}, "/symptom"),
        ({"detected_at": "yesterday-ish"}, "/detected_at"),
        ({"onset": "2030-01-01T00:00:00Z"}, "/onset"),
        ({"as_of": "x"}, "/as_of"),
        ({"limit": 0}, "/limit"),
        ({"limit": "many"}, "/limit"),
    ],
)
async def test_bad_field_is_named_by_its_pointer(shop_api: Api, fields: dict[str, Any], pointer: str) -> None:
    problem = await shop_api.problem("POST", PATH, 422, json={**QUESTION, **fields})
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_unknown_entity_gets_the_nearest_names(shop_api: Api) -> None:
    for entity in ("chekout", "otel://shop#chekout"):
        problem = await shop_api.problem("POST", PATH, 404, json={**QUESTION, "symptom": {"entity": entity}})
        assert problem["nearest"][0] == CHECKOUT
        assert problem["name"] == entity


async def test_unknown_answer_is_not_found(api: Api) -> None:
    await api.problem("GET", f"{PATH}/inv-0", 404)
    await api.problem("GET", f"{PATH}/inv-0/feedback", 404)


async def test_verdict_of_a_person_is_kept_with_the_answer(shop_api: Api) -> None:
    answer = await shop_api.post(PATH, QUESTION)
    suspect = answer["suspects"][0]["change"]["id"]
    path = f"{PATH}/{answer['id']}/feedback"
    kept = await shop_api.post(path, {"verdict": "confirmed", "change_id": suspect, "actor": "ada"})
    shop_api.now_ns += 1
    await shop_api.post(path, {"verdict": "missing_change", "comment": "the cache was resized"})
    listed = await shop_api.get(path)
    assert [one["verdict"] for one in listed["items"]] == ["missing_change", "confirmed"]
    assert listed["items"][1] == kept
    assert kept["investigation"] == answer["id"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"verdict": "guilty"}, "/verdict"),
        ({"verdict": "confirmed"}, "/change_id"),
        ({"verdict": "confirmed", "change_id": "unheard-of"}, "/change_id"),
        ({"verdict": "no_change", "change_id": "dep-812"}, "/change_id"),
    ],
)
async def test_verdict_on_nothing_of_this_answer_is_refused(shop_api: Api, body: dict[str, str], pointer: str) -> None:
    answer = await shop_api.post(PATH, QUESTION)
    problem = await shop_api.problem("POST", f"{PATH}/{answer['id']}/feedback", 422, json=body)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
