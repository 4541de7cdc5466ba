from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import Api
from tests.integration.shop import CHECKOUT, CHECKOUT_V1, RANKER, RANKER_V40, RANKER_V41, ROLL_OUT
from whence.model.kinds import EntityKind, RelationType
from whence.model.times import format_time
from whence.testing.graphs import at, attributes, delta, entity, link, relation

WINDOW = {"from": format_time(at(0)), "to": format_time(at(2000))}


def keys(entities: list[dict[str, Any]]) -> list[str]:
    return [one["key"] for one in entities]


async def test_upstream_is_the_graph_with_the_changes_on_it(shop_api: Api) -> None:
    found = await shop_api.get("/api/v1/upstream", entity="checkout", **WINDOW)
    assert {one["key"]: one["depth"] for one in found["entities"]} == {
        CHECKOUT: 0,
        CHECKOUT_V1: 1,
        RANKER_V40: 2,
        RANKER_V41: 2,
    }
    assert (CHECKOUT_V1, "CALLS", RANKER_V41) in {
        (one["dependent"], one["type"], one["dependency"]) for one in found["relations"]
    }
    assert [(one["subject"], one["to"]) for one in found["changes"]] == [(RANKER, "v41")]
    assert {"entity": found["entity"], "from": found["from"], "to": found["to"]} == {"entity": CHECKOUT, **WINDOW}
    assert found["truncated"] is False


async def test_upstream_goes_no_deeper_than_asked(shop_api: Api) -> None:
    found = await shop_api.get("/api/v1/upstream", entity=CHECKOUT, depth=1, **WINDOW)
    assert keys(found["entities"]) == [CHECKOUT, CHECKOUT_V1]


async def test_downstream_of_an_entity_goes_through_its_versions_and_names_owners(shop_api: Api) -> None:
    found = await shop_api.get("/api/v1/downstream", entity="ranker", **WINDOW)
    assert {CHECKOUT, CHECKOUT_V1} <= set(keys(found["entities"]))
    assert found["owners"] == ["team-ranking", "team-shop"]


async def test_downstream_of_a_version_is_what_used_that_version(shop_api: Api) -> None:
    await shop_api.store.upsert(
        delta(entity("otel://shop#batch"), relation(link("otel://shop#batch", RANKER_V40), 0, 100))
    )
    found = await shop_api.get("/api/v1/downstream", entity=RANKER_V41, **WINDOW)
    assert "otel://shop#batch" not in keys(found["entities"])
    assert CHECKOUT in keys(found["entities"])


async def test_diff_tells_what_came_what_went_and_what_changed_version(shop_api: Api) -> None:
    cache, old = "otel://shop#cache", "otel://shop#legacy"
    await shop_api.store.upsert(
        delta(
            entity(cache),
            entity(old),
            relation(link(CHECKOUT_V1, cache), 1000, 1400),
            relation(link(CHECKOUT_V1, old), 0, 100),
        )
    )
    found = await shop_api.get(
        "/api/v1/diff", entity="checkout", width="10m", **{"from": format_time(at(600)), "to": format_time(at(1600))}
    )
    assert keys(found["added"]["entities"]) == [cache]
    assert keys(found["removed"]["entities"]) == [old]
    assert [(one["dependent"], one["dependency"]) for one in found["added"]["relations"]] == [(CHECKOUT_V1, cache)]
    assert found["versions"] == [{"entity": RANKER, "before": [RANKER_V40], "after": [RANKER_V41]}]


async def test_diff_of_a_quiet_time_is_empty(shop_api: Api) -> None:
    window = {"from": format_time(at(300)), "to": format_time(at(ROLL_OUT - 100))}
    found = await shop_api.get("/api/v1/diff", entity="checkout", width="1m", **window)
    assert found["added"] == found["removed"] == {"entities": [], "relations": []}
    assert found["versions"] == []


@pytest.mark.parametrize("path", ["/api/v1/upstream", "/api/v1/downstream", "/api/v1/diff"])
async def test_graph_reads_refuse_what_they_do_not_know(shop_api: Api, path: str) -> None:
    unknown = await shop_api.problem("GET", path, 404, params={"entity": "rankr"})
    assert unknown["nearest"] == [RANKER]
    missing = await shop_api.problem("GET", path, 422)
    assert [error["parameter"] for error in missing["errors"]] == ["entity"]
    deep = await shop_api.problem("GET", path, 422, params={"entity": "ranker", "depth": 99})
    assert [error["parameter"] for error in deep["errors"]] == ["depth"]


async def test_diff_refuses_a_width_that_is_no_duration(shop_api: Api) -> None:
    problem = await shop_api.problem("GET", "/api/v1/diff", 422, params={"entity": "ranker", "width": "wide"})
    assert [error["parameter"] for error in problem["errors"]] == ["width"]


async def test_entities_are_found_by_words_kind_and_owner(shop_api: Api) -> None:
    path = "/api/v1/entities"
    assert keys((await shop_api.get(path))["items"]) == [CHECKOUT, RANKER]
    assert keys((await shop_api.get(path, q="RANK shop"))["items"]) == [RANKER]
    assert keys((await shop_api.get(path, owner="team-shop"))["items"]) == [CHECKOUT]
    versions = (await shop_api.get(path, kind="service_version", q="ranker"))["items"]
    assert keys(versions) == [RANKER_V40, RANKER_V41]
    assert (await shop_api.get(path, kind=["model", "dataset"]))["items"] == []
    await shop_api.problem("GET", path, 422, params={"kind": "planet"})


async def test_entities_page_by_cursor(shop_api: Api) -> None:
    first = await shop_api.get("/api/v1/entities", limit=1)
    second = await shop_api.get("/api/v1/entities", limit=1, cursor=first["next"])
    assert keys(first["items"] + second["items"]) == [CHECKOUT, RANKER]
    assert second["next"] is None


async def test_one_entity_is_shown_with_its_versions_the_latest_first(shop_api: Api) -> None:
    await shop_api.store.upsert(
        delta(entity("otel://shop#ranker@version:v42", EntityKind.SERVICE_VERSION, base=RANKER, first_seen_ns=at(50)))
    )
    by_reference = await shop_api.client.get("/api/v1/entities/otel%3A%2F%2Fshop%23ranker")
    assert by_reference.json() == await shop_api.get("/api/v1/entities/ranker")
    shown = by_reference.json()
    assert (shown["key"], shown["kind"], shown["owner"]) == (RANKER, "service", "team-ranking")
    assert keys(shown["versions"])[0] == "otel://shop#ranker@version:v42"


async def test_entity_with_escapes_in_its_reference_is_found(api: Api) -> None:
    odd = "file#/data/my%20table%23.csv"
    known = attributes(owner="ada")
    await api.store.upsert(delta(entity(odd, EntityKind.DATASET, attributes=known)))
    response = await api.client.get("/api/v1/entities/file%23%2Fdata%2Fmy%2520table%2523.csv")
    assert response.json()["key"] == odd


async def test_unknown_entity_gets_404_and_broken_reference_gets_422(shop_api: Api) -> None:
    await shop_api.problem("GET", "/api/v1/entities/rankr", 404)
    problem = await shop_api.problem("GET", "/api/v1/entities/otel%3A%2F%2Fshop%23a%23b", 422)
    assert problem["position"] == 13


async def test_lineage_joins_the_graph_of_services(shop_api: Api) -> None:
    await shop_api.store.upsert(
        delta(
            entity("postgres://db:5432#shop.public.features", EntityKind.DATASET),
            relation(link(CHECKOUT_V1, "postgres://db:5432#shop.public.features", RelationType.READS), 0, 1400),
        )
    )
    event = {
        "eventType": "COMPLETE",
        "eventTime": format_time(at(500)),
        "run": {"runId": "01a20ae3-1bda-7f64-b30f-89d5ee725db6"},
        "job": {"namespace": "airflow", "name": "nightly"},
        "inputs": [{"namespace": "postgres://db", "name": "shop.public.raw"}],
        "outputs": [{"namespace": "postgres://db", "name": "shop.public.features"}],
    }
    assert (await shop_api.client.post("/api/v1/lineage", json=event)).status_code == 200
    found = await shop_api.get("/api/v1/upstream", entity="checkout", **WINDOW)
    assert {"airflow#nightly", "postgres://db:5432#shop.public.raw"} <= set(keys(found["entities"]))
    assert "dataset" in {change["kind"] for change in found["changes"]}


async def test_batch_of_events_is_taken_whole_or_told_which_failed(api: Api) -> None:
    good = {"eventTime": format_time(at(0)), "job": {"namespace": "airflow", "name": "nightly"}}
    assert (await api.client.post("/api/v1/lineage/batch", json=[good, good])).status_code == 204
    told = await api.client.post("/api/v1/lineage/batch", json=[good, {"eventTime": "never"}, good])
    assert told.status_code == 200
    assert told.json()["status"] == "partial_success"
    assert told.json()["summary"] == {"received": 3, "successful": 2, "failed": 1}
    assert [(one["index"], one["retriable"]) for one in told.json()["failed_events"]] == [(1, False)]
    assert keys((await api.get("/api/v1/entities"))["items"]) == ["airflow#nightly"]


async def test_event_that_breaks_the_specification_is_refused_naming_the_field(api: Api) -> None:
    problem = await api.problem("POST", "/api/v1/lineage", 422, json={"eventTime": format_time(at(0))})
    assert [error["pointer"] for error in problem["errors"]] == ["/job"]
    await api.problem("POST", "/api/v1/lineage", 422, json=[])


async def test_lineage_is_told_in_the_words_of_marquez(shop_api: Api) -> None:
    features = "postgres://db:5432#shop.public.features"
    await shop_api.store.upsert(
        delta(
            entity(features, EntityKind.DATASET),
            relation(link(CHECKOUT_V1, features, RelationType.READS), 0, 1400),
        )
    )
    event = {
        "eventType": "COMPLETE",
        "eventTime": format_time(at(500)),
        "run": {"runId": "01a20ae3-1bda-7f64-b30f-89d5ee725db6"},
        "job": {"namespace": "airflow", "name": "nightly"},
        "inputs": [{"namespace": "postgres://db", "name": "shop.public.raw"}],
        "outputs": [{"namespace": "postgres://db", "name": "shop.public.features"}],
    }
    await shop_api.post("/api/v1/lineage", event)
    found = await shop_api.get("/api/v1/lineage", nodeId="dataset:postgres://db:5432:shop.public.features")
    raw, job, written, reader = (
        "dataset:postgres://db:5432:shop.public.raw",
        "job:airflow:nightly",
        "dataset:postgres://db:5432:shop.public.features",
        "job:otel://shop:checkout",
    )
    assert {node["id"] for node in found["graph"]} == {raw, job, written, reader}
    edges = {(edge["origin"], edge["destination"]) for node in found["graph"] for edge in node["inEdges"]}
    assert edges == {(raw, job), (job, written), (written, reader)}
    assert all(node["type"] == node["id"].partition(":")[0].upper() for node in found["graph"])


async def test_lineage_of_nothing_known_is_refused(shop_api: Api) -> None:
    await shop_api.problem("GET", "/api/v1/lineage", 404, params={"nodeId": "job:airflow:hourly"})
    problem = await shop_api.problem("GET", "/api/v1/lineage", 422, params={"nodeId": "airflow"})
    assert [error["parameter"] for error in problem["errors"]] == ["nodeId"]
