"""What is frozen with an answer: series, the explaining graph, the harm."""

from __future__ import annotations

from typing import Any

from tests.integration.api import Api
from tests.integration.shop import CHECKOUT, END, RANKER, ROLL_OUT
from whence.model.times import format_time
from whence.testing.graphs import at, change, delta


async def exhibits(api: Api) -> dict[str, Any]:
    body = {"symptom": {"entity": CHECKOUT, "signal": "errors"}, "detected_at": format_time(at(END))}
    answer = await api.post("/api/v1/investigations", body)
    found: dict[str, Any] = await api.get(f"/api/v1/investigations/{answer['id']}/exhibits")
    return found


async def test_requests_and_harm_count_what_happened_since_the_onset(shop_api: Api) -> None:
    found = await exhibits(shop_api)
    points = found["requests"]
    assert [point["requests"] for point in points] == [60.0] * len(points)
    since = [point for point in points if point["at"] >= format_time(at(ROLL_OUT))]
    assert [point["bad"] for point in points if point not in since] == [0.0] * (len(points) - len(since))
    assert found["impact"]["bad"] == sum(point["bad"] for point in since) > 0
    assert found["impact"]["usually_bad"] == 0


async def test_contrast_splits_requests_by_the_version_that_they_met(shop_api: Api) -> None:
    (contrast,) = (await exhibits(shop_api))["contrasts"]
    assert sum(point["bad"] for point in contrast["old"]) == 0
    assert sum(point["bad"] for point in contrast["new"]) > 0
    assert max(point["at"] for point in contrast["old"]) < min(point["at"] for point in contrast["new"])


async def test_graph_leads_from_the_symptom_to_the_suspect(shop_api: Api) -> None:
    graph = (await exhibits(shop_api))["graph"]
    assert [(node["key"], node["role"], node["hops"]) for node in graph["nodes"]] == [
        (CHECKOUT, "symptom", 0),
        (RANKER, "suspect", 1),
    ]
    assert [(edge["dependent"], edge["dependency"]) for edge in graph["edges"]] == [(CHECKOUT, RANKER)]


async def test_steps_show_the_graph_before_and_after_the_change(shop_api: Api) -> None:
    steps = (await exhibits(shop_api))["steps"]
    names, times = [one["name"] for one in steps], [one["at"] for one in steps]
    assert names[0] == "before"
    assert names[-1] == "noticed"
    assert times == sorted(set(times))
    assert (steps[0]["versions"][RANKER], steps[-1]["versions"][RANKER]) == (["v40"], ["v41"])
    assert steps[-1]["edges"] == [[CHECKOUT, RANKER]]


async def test_exhibits_stay_as_they_were_when_more_becomes_known(shop_api: Api) -> None:
    body = {"symptom": {"entity": CHECKOUT, "signal": "errors"}, "detected_at": format_time(at(END))}
    answer = await shop_api.post("/api/v1/investigations", body)
    path = f"/api/v1/investigations/{answer['id']}/exhibits"
    first = await shop_api.client.get(path)
    await shop_api.store.upsert(delta(change("late", RANKER, ROLL_OUT, to_version="v42")))
    second = await shop_api.client.get(path)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]


async def test_unknown_answer_has_no_exhibits(api: Api) -> None:
    await api.problem("GET", "/api/v1/investigations/inv-0/exhibits", 404)
