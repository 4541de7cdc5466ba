"""How far answers can be trusted: calibration by verdicts, feeds of changes, what carries no version."""

from __future__ import annotations

from pathlib import Path

from tests.integration.api import Api, running_api
from tests.integration.shop import CHECKOUT, END, RANKER, ROLL_OUT
from whence.model.times import format_time
from whence.testing.graphs import at, change, delta, entity, key


async def test_calibration_compares_what_was_said_with_what_people_confirmed(shop_api: Api) -> None:
    body = {"symptom": {"entity": CHECKOUT, "signal": "errors"}, "detected_at": format_time(at(END))}
    answer = await shop_api.post("/api/v1/investigations", body)
    suspect = answer["suspects"][0]
    path = f"/api/v1/investigations/{answer['id']}/feedback"
    await shop_api.post(path, {"verdict": "rejected", "change_id": suspect["change"]["id"]})
    shop_api.now_ns += 1_000_000_000
    await shop_api.post(path, {"verdict": "confirmed", "change_id": suspect["change"]["id"]})
    trust = await shop_api.get("/api/v1/trust")
    assert trust["answers"] == {answer["verdict"]: 1}
    (row,) = trust["calibration"]
    assert (row["band"], row["judged"], row["said"]) == (suspect["band"], 1, suspect["probability"])
    assert (round(row["right_low"], 3), row["right"], row["right_high"]) == (0.207, 1.0, 1.0)
    page = (await shop_api.client.get("/trust", headers={"accept": "text/html"})).text
    assert f"{suspect['band']}: said" in page


async def test_tokens_are_named_and_never_shown(tmp_path: Path) -> None:
    written = ("ci@ingest:secret-one;until=2020-01-01", "reader@read:secret-two")
    async with running_api(tmp_path, tokens=written) as api:
        headers = {"Authorization": "Bearer secret-two"}
        reply = await api.client.get("/api/v1/trust", headers=headers)
        assert reply.json()["tokens"] == [
            {"name": "ci", "scopes": ["ingest"], "until": "2020-01-01", "is_over": True},
            {"name": "reader", "scopes": ["read"], "until": None, "is_over": False},
        ]
        assert "secret" not in reply.text


async def test_feeds_tell_how_many_changes_each_source_recorded_and_when_last(shop_api: Api) -> None:
    changes = [
        change("one", RANKER, 10),
        change("two", RANKER, ROLL_OUT),
        change("three", CHECKOUT, 20, source="github"),
    ]
    await shop_api.store.upsert(delta(*changes))
    assert (await shop_api.get("/api/v1/trust"))["feeds"] == [
        {"source": "api", "changes": 2, "last_at": format_time(at(ROLL_OUT))},
        {"source": "github", "changes": 1, "last_at": format_time(at(20))},
    ]


async def test_services_of_which_no_version_was_seen_are_named(shop_api: Api) -> None:
    await shop_api.store.upsert(delta(entity(key("nameless"))))
    assert (await shop_api.get("/api/v1/trust"))["without_version"] == {"service": [key("nameless")], "model": []}


async def test_empty_server_has_nothing_to_be_trusted_by(api: Api) -> None:
    assert await api.get("/api/v1/trust") == {
        "answers": {},
        "calibration": [],
        "feeds": [],
        "without_version": {"service": [], "model": []},
        "tokens": [],
        "truncated": False,
    }
