"""Earlier incidents beside an answer, by API and on the page, with what was confirmed then."""

from __future__ import annotations

from tests.integration.api import Api
from tests.integration.shop import CHECKOUT, END
from whence.model.times import NS_PER_SECOND, format_time
from whence.testing.graphs import at

DAY_S = 86_400


async def test_answer_shows_what_was_alike_and_what_people_confirmed_then(shop_api: Api) -> None:
    question = {"entity": CHECKOUT, "signal": "errors"}
    body = {"symptom": question, "detected_at": format_time(at(END))}
    past = await shop_api.post("/api/v1/investigations", body)
    change = past["suspects"][0]["change"]["id"]
    verdict = {"verdict": "confirmed", "change_id": change}
    await shop_api.post(f"/api/v1/investigations/{past['id']}/feedback", verdict)
    shop_api.now_ns += DAY_S * NS_PER_SECOND
    later = format_time(at(END + DAY_S))
    now = await shop_api.post("/api/v1/investigations", {"symptom": question, "detected_at": later, "onset": later})
    found = await shop_api.get(f"/api/v1/investigations/{now['id']}/similar")
    (one,) = found["items"]
    assert (one["id"], one["confirmed"], one["onset"]) == (past["id"], [change], past["onset"]["at"])
    assert 0.2 <= one["likeness"] < 1
    assert f"{CHECKOUT} hurts" in one["shared"]
    page = await shop_api.client.get(f"/investigations/{now['id']}", headers={"accept": "text/html"})
    assert "Has this happened before?" in page.text
    assert past["headline"] in page.text


async def test_unknown_answer_has_no_past(api: Api) -> None:
    await api.problem("GET", "/api/v1/investigations/inv-0/similar", 404)
