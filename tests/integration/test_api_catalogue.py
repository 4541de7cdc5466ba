"""Discovery on every store: finding by name, beginning, owner, description and nearly so; and the card of a thing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api import Api
from tests.integration.planted import CLICKS, DECLARED, RANKER, RANKING, STOREFRONT, TRACES

WINDOW = {"from": "-4h"}


@pytest.fixture
async def declared_api(planted_api: Api) -> Api:
    more = "  - {name: mailer, owner: team-crm, description: sends letters, lifecycle: deprecated}\n"
    body = {"name": "shop", "files": [{"path": "whence.yaml", "text": DECLARED + more}]}
    await planted_api.post("/api/v1/declarations", body)
    return planted_api


async def found(api: Api, text: str, **params: Any) -> list[tuple[str, str]]:
    body = await api.get("/api/v1/search", q=text, **params)
    return [(one["key"], one["match"]) for one in body["items"]]


async def test_search_ranks_exact_before_beginning_before_word(declared_api: Api) -> None:
    assert (await found(declared_api, "ranking"))[0] == (RANKING, "exact")
    assert [match for _, match in await found(declared_api, "rank")] == ["prefix", "prefix", "word"]
    assert (await found(declared_api, "shop clicks"))[0] == (CLICKS, "word")


async def test_search_forgives_typos_only_where_nothing_else_is_found(declared_api: Api) -> None:
    assert (STOREFRONT, "similar") in await found(declared_api, "storfornt")
    assert all(match != "similar" for _, match in await found(declared_api, "ranking"))
    assert await found(declared_api, "zzzzzzzz") == []


async def test_search_by_owner_description_and_of_what_was_never_seen(declared_api: Api) -> None:
    assert (STOREFRONT, "owner") in await found(declared_api, "team-shop")
    body = await declared_api.get("/api/v1/search", q="letters")
    (mailer,) = body["items"]
    assert (mailer["key"], mailer["match"], mailer["last_seen_at"]) == ("mailer", "text", None)
    assert (mailer["owner"], mailer["lifecycle"]) == ("team-crm", "deprecated")


async def test_search_filters_by_kind_and_owner(declared_api: Api) -> None:
    assert await found(declared_api, "rank", kind="model") == [(RANKER, "prefix")]
    assert await found(declared_api, "rank", owner="team-ranking") == [(RANKING, "prefix")]


async def test_card_of_a_service_shows_versions_consumers_and_operations(declared_api: Api) -> None:
    card = await declared_api.get("/api/v1/card", entity="ranking", **WINDOW)
    assert (card["owner"], card["entity"]["key"]) == ("team-ranking", RANKING)
    assert [(one["environment"], one["version"]) for one in card["in_use"]] == [("production", f"{RANKING}@version:v7")]
    (consumer,) = card["consumers"]
    assert (consumer["entity"], consumer["calls"], consumer["declared"]) == (STOREFRONT, TRACES, True)
    (operation,) = card["operations"]
    assert (operation["operation"], operation["requests"], operation["errors"]) == ("GET /", TRACES, 0)
    assert 7 < operation["p50_ms"] <= operation["p95_ms"] < 9
    assert card["how_to_use"] == "GET /"


async def test_card_of_data_shows_freshness_and_how_to_read_it(declared_api: Api) -> None:
    card = await declared_api.get("/api/v1/card", entity=CLICKS, **WINDOW)
    assert card["freshness"]["every_seconds"] == 600
    assert card["how_to_use"].startswith(f'with whence.reads("{CLICKS}@opaque:')
    assert {one["entity"] for one in card["consumers"]} == {RANKING, RANKER, "jobs#train-ranker"}


async def test_card_of_a_model_names_its_version(declared_api: Api) -> None:
    card = await declared_api.get("/api/v1/card", entity="ranker", **WINDOW)
    assert card["how_to_use"] == f'with whence.uses_model("{RANKER}@version:42"):\n    ' + (
        'model = mlflow.pyfunc.load_model("models:/ranker/42")'
    )
    await declared_api.problem("GET", "/api/v1/card", 404, params={"entity": "nobody"})


async def test_card_of_a_model_shows_the_signature_that_its_file_states(declared_api: Api) -> None:
    text = (
        'flavors: {}\nsignature: {inputs: \'[{"type": "double", "name": "spend"}]\', outputs: \'[{"type": "long"}]\'}'
    )
    body = {"name": "models", "files": [{"path": "ranker/MLmodel", "text": text}]}
    await declared_api.post("/api/v1/declarations", body)
    card = await declared_api.get("/api/v1/card", entity=RANKER, **WINDOW)
    assert card["signature"] == "spend: double -> long"
