"""From an alert to an answer that is told: one incident for each group, whatever comes twice, late or flapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.api import Api, running_api
from tests.integration.listener import listening
from tests.integration.shop import CHECKOUT, END, healed, shop
from whence.api import incident_store
from whence.api.answering import AGAIN_AFTER_S, ripen
from whence.model.times import NS_PER_SECOND, format_time
from whence.testing.graphs import at

ALERTMANAGER = "/api/v1/webhooks/alertmanager"


def notification(*alerts: dict[str, Any], group: str = "{}:{alertname='Errors'}") -> dict[str, Any]:
    return {"version": "4", "status": "firing", "groupKey": group, "receiver": "whence", "alerts": list(alerts)}


def firing(second: float = END, fingerprint: str = "f1", **labels: str) -> dict[str, Any]:
    named = {"alertname": "Errors", "service": "checkout", "whence_signal": "errors"} | labels
    return {"status": "firing", "labels": named, "startsAt": format_time(at(second)), "fingerprint": fingerprint}


def resolved(second: float, until: float, fingerprint: str = "f1") -> dict[str, Any]:
    return firing(second, fingerprint) | {"status": "resolved", "endsAt": format_time(at(until))}


async def deliver(api: Api, *alerts: dict[str, Any]) -> dict[str, Any]:
    (incident_id,) = (await api.post(ALERTMANAGER, notification(*alerts)))["incidents"]
    found: dict[str, Any] = await api.get(f"/api/v1/incidents/{incident_id}")
    return found


async def all_incidents(api: Api) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await api.get("/api/v1/incidents"))["items"]
    return items


async def test_alert_opens_an_incident_and_is_answered_at_once(shop_api: Api) -> None:
    incident = await deliver(shop_api, firing())
    assert (incident["status"], incident["entity"], incident["title"]) == ("investigating", CHECKOUT, "Errors")
    (given,) = incident["answers"]
    answer = await shop_api.get(f"/api/v1/investigations/{given['investigation']}")
    assert answer["suspects"][0]["change"]["to"] == "v41"
    assert given["headline"] == answer["headline"]


async def test_same_notification_again_changes_nothing(shop_api: Api) -> None:
    first = await deliver(shop_api, firing())
    shop_api.now_ns += 5 * NS_PER_SECOND
    assert await deliver(shop_api, firing()) == first
    assert len(await all_incidents(shop_api)) == 1


async def test_alerts_of_one_group_are_one_incident_until_the_last_is_over(shop_api: Api) -> None:
    await deliver(shop_api, firing(), firing(END + 5, "f2"))
    await deliver(shop_api, resolved(END, END + 20))
    assert [one["status"] for one in await all_incidents(shop_api)] == ["investigating"]
    incident = await deliver(shop_api, resolved(END + 5, END + 30, "f2"))
    assert (incident["status"], incident["resolved_at"]) == ("resolved", format_time(at(END + 30)))


async def test_end_that_arrives_before_the_beginning_gives_the_same_incident(shop_api: Api, tmp_path: Path) -> None:
    await deliver(shop_api, firing())
    in_order = await deliver(shop_api, resolved(END, END + 20))
    other = tmp_path / "other"
    other.mkdir()
    async with running_api(other) as late:
        await late.store.upsert(shop())
        await deliver(late, resolved(END, END + 20))
        assert await deliver(late, firing()) == in_order


async def test_alert_that_fires_again_soon_reopens_and_much_later_opens_another(shop_api: Api) -> None:
    first = await deliver(shop_api, firing())
    await deliver(shop_api, resolved(END, END + 20))
    again = await deliver(shop_api, firing(END + 60))
    assert (again["id"], again["status"]) == (first["id"], "investigating")
    await deliver(shop_api, resolved(END + 60, END + 80))
    later = await deliver(shop_api, firing(END + 7200))
    assert later["id"] != first["id"]
    assert [one["id"] for one in await all_incidents(shop_api)] == [later["id"], first["id"]]


async def test_alert_that_names_nothing_known_asks_and_a_person_answers(shop_api: Api) -> None:
    incident = await deliver(shop_api, firing(service="planets"))
    assert (incident["asks"], incident["answers"], incident["status"]) == (True, [], "open")
    path = f"/api/v1/incidents/{incident['id']}"
    await shop_api.post(f"{path}/entity", {"entity": "checkout"})
    told = await shop_api.get(path)
    assert (told["entity"], told["asks"], len(told["answers"])) == (CHECKOUT, False, 1)


async def test_person_says_where_it_stands(shop_api: Api) -> None:
    incident = await deliver(shop_api, firing())
    path = f"/api/v1/incidents/{incident['id']}/status"
    assert (await shop_api.post(path, {"status": "mitigated"}))["status"] == "mitigated"
    assert [one["id"] for one in (await shop_api.get("/api/v1/incidents", status="mitigated"))["items"]] == [
        incident["id"]
    ]
    await shop_api.problem("POST", path, 422, json={"status": "forgotten"})


async def test_incident_opened_by_hand_is_investigated_too(shop_api: Api) -> None:
    opened = await shop_api.post("/api/v1/incidents", {"title": "Pay fails", "entity": "checkout", "signal": "errors"})
    assert len((await shop_api.get(f"/api/v1/incidents/{opened['id']}"))["answers"]) == 1
    await shop_api.problem("POST", "/api/v1/incidents", 404, json={"title": "x", "entity": "planets"})


async def test_young_incident_is_asked_again_as_evidence_ripens_and_an_old_one_is_not(shop_api: Api) -> None:
    context = shop_api.context
    incident = await deliver(shop_api, firing(END - 120))
    assert await ripen(context) == 0
    shop_api.now_ns += AGAIN_AFTER_S * NS_PER_SECOND
    assert await ripen(context) == 0, "a third of its age is not enough"
    shop_api.now_ns += AGAIN_AFTER_S * NS_PER_SECOND
    assert await ripen(context) == 1
    again = await shop_api.get(f"/api/v1/incidents/{incident['id']}")
    assert len(again["answers"]) == 2
    shop_api.now_ns += 3600 * NS_PER_SECOND
    assert await ripen(context) == 0


async def test_revert_that_heals_is_looked_at_though_the_incident_is_over(shop_api: Api) -> None:
    context = shop_api.context
    incident = await deliver(shop_api, firing())
    suspect = await shop_api.get(f"/api/v1/investigations/{incident['answers'][-1]['investigation']}")
    assert suspect["suspects"][0]["change"]["to"] == "v41"
    reverted = END + 60
    await shop_api.store.upsert(healed(reverted, reverted + 300))
    back = {"kind": "deployment", "subject": "ranker", "from": "v41", "to": "v40"}
    await shop_api.post("/api/v1/changes", {**back, "effective_at": format_time(at(reverted))})
    await deliver(shop_api, resolved(END, reverted + 30))
    shop_api.now_ns = at(reverted + 60)
    assert await ripen(context) == 0, "too early to say"
    shop_api.now_ns = at(reverted + 300)
    assert await ripen(context) == 1
    again = await shop_api.get(f"/api/v1/incidents/{incident['id']}")
    assert (again["status"], len(again["answers"])) == ("resolved", 2)
    answer = await shop_api.get(f"/api/v1/investigations/{again['answers'][-1]['investigation']}")
    assert "withdrawal" in [one["code"] for one in answer["suspects"][0]["evidence"]]
    assert await ripen(context) == 0, "it was looked at"


async def test_answer_is_told_as_a_cloud_event_and_to_slack(tmp_path: Path) -> None:
    with listening() as listener:
        notify = f"webhook:{listener.url}/events,slack:{listener.url}/slack"
        async with running_api(tmp_path, notify=notify, public_url="https://whence.shop.dev/") as api:
            await api.store.upsert(shop())
            listener.failures_left = 1
            incident = await deliver(api, firing())
            api.now_ns += 5 * NS_PER_SECOND
            again = await api.post(f"/api/v1/incidents/{incident['id']}/investigations", {})
            assert len(again["answers"]) == 2, "the second finds the same, so it is not told"
            await api.context.outbox.drained()
    (path, kind, event), (slack_path, _, message) = sorted(listener.heard, key=lambda one: one[0])
    assert (path, kind, slack_path) == ("/events", "application/cloudevents+json", "/slack")
    assert event.keys() >= {"specversion", "id", "source", "type"}
    assert (event["specversion"], event["subject"]) == ("1.0", incident["id"])
    assert event["data"]["answer"]["suspects"][0]["change"]["to"] == "v41"
    assert event["data"]["links"]["incident"] == f"https://whence.shop.dev/incidents/{incident['id']}"
    assert "v40 → v41" in message["blocks"][1]["text"]["text"]
    assert len(message["blocks"][0]["text"]["text"]) <= 150


async def test_unknown_incident_is_not_found(api: Api) -> None:
    for method, path in (("GET", ""), ("POST", "/investigations")):
        await api.problem(method, f"/api/v1/incidents/inc-0{path}", 404)


async def test_incident_of_very_many_events_says_that_the_earliest_are_left_out(
    shop_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = await deliver(shop_api, firing())
    assert incident["truncated"] is False
    monkeypatch.setattr(incident_store, "MOST_EVENTS", 2)
    cut = await shop_api.get(f"/api/v1/incidents/{incident['id']}")
    assert (cut["truncated"], len(cut["events"])) == (True, 2)
