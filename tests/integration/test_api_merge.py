"""Incidents that turn out to be one, and one that turns out to be two."""

from __future__ import annotations

from typing import Any

from tests.integration.api import Api
from tests.integration.shop import CHECKOUT, END
from tests.integration.test_api_incidents import ALERTMANAGER, all_incidents, deliver, firing, notification, resolved


async def opened(api: Api, group: str, *alerts: dict[str, Any]) -> str:
    (incident_id,) = (await api.post(ALERTMANAGER, notification(*alerts, group=group)))["incidents"]
    return str(incident_id)


async def two(api: Api) -> tuple[str, str]:
    return await opened(api, "one", firing()), await opened(api, "two", firing(END + 5, "f2"))


async def test_merged_incident_is_listed_once_and_leads_on(shop_api: Api) -> None:
    into, other = await two(shop_api)
    merged = await shop_api.post(f"/api/v1/incidents/{into}/merge", {"incident": other, "actor": "ana"})
    assert (merged["merged"], {one["key"] for one in merged["alerts"]}) == ([other], {"f1", "f2"})
    assert [one["id"] for one in await all_incidents(shop_api)] == [into]
    assert (await shop_api.get(f"/api/v1/incidents/{other}"))["merged_into"] == into


async def test_alert_of_a_merged_incident_moves_the_one_it_is_part_of(shop_api: Api) -> None:
    into, other = await two(shop_api)
    await shop_api.post(f"/api/v1/incidents/{into}/merge", {"incident": other})
    assert await opened(shop_api, "one", resolved(END, END + 20)) == into
    assert (await shop_api.get(f"/api/v1/incidents/{into}"))["resolved_at"] is None
    assert await opened(shop_api, "two", resolved(END + 5, END + 30, "f2")) == into
    assert (await shop_api.get(f"/api/v1/incidents/{into}"))["status"] == "resolved"


async def test_merge_can_be_taken_back(shop_api: Api) -> None:
    into, other = await two(shop_api)
    await shop_api.post(f"/api/v1/incidents/{into}/merge", {"incident": other})
    shop_api.now_ns += 1_000_000_000
    parted = await shop_api.post(f"/api/v1/incidents/{into}/part", {"incident": other})
    assert (parted["id"], parted["merged_into"]) == (other, None)
    assert len(await all_incidents(shop_api)) == 2


async def test_split_gives_an_alert_its_own_incident_and_its_future(shop_api: Api) -> None:
    incident = await deliver(shop_api, firing(), firing(END + 5, "f2"))
    alerts = [{"source": "alertmanager", "key": "f2"}]
    new = await shop_api.post(f"/api/v1/incidents/{incident['id']}/split", {"alerts": alerts})
    assert [one["key"] for one in new["alerts"]] == ["f2"]
    assert new["id"] != incident["id"]
    ended = await deliver(shop_api, resolved(END + 5, END + 30, "f2"))
    assert (ended["id"], ended["status"]) == (new["id"], "resolved")
    still = await deliver(shop_api, firing())
    assert (still["id"], [one["key"] for one in still["alerts"]]) == (incident["id"], ["f1"])
    asked = await shop_api.get(f"/api/v1/incidents/{new['id']}")
    assert (asked["entity"], len(asked["answers"])) == (CHECKOUT, 1)


async def test_what_makes_no_sense_is_refused(shop_api: Api) -> None:
    into, other = await two(shop_api)
    path = f"/api/v1/incidents/{into}"
    await shop_api.problem("POST", f"{path}/merge", 422, json={"incident": into})
    await shop_api.problem("POST", f"{path}/merge", 404, json={"incident": "inc-0"})
    await shop_api.problem("POST", f"{path}/part", 422, json={"incident": other})
    await shop_api.problem("POST", f"{path}/split", 422, json={"alerts": [{"source": "alertmanager", "key": "f1"}]})
    await shop_api.problem("POST", f"{path}/split", 422, json={"alerts": [{"source": "x", "key": "f1"}]})
    await shop_api.post(f"{path}/merge", {"incident": other})
    await shop_api.problem("POST", f"/api/v1/incidents/{other}/merge", 422, json={"incident": into})
