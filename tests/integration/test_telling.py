"""Answers that go out: to addresses that fail, refuse, forget, and to those that can edit what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.api import Api, running_api
from tests.integration.listener import Listener, listening
from tests.integration.shop import END, shop
from whence.api.telling import tell, tell_what_waits
from whence.testing.graphs import at


async def _opened(api: Api) -> dict[str, Any]:
    """An incident whose first answer was told."""
    await api.store.upsert(shop())
    opened = await api.post("/api/v1/incidents", {"title": "Pay <fails>", "entity": "checkout", "signal": "errors"})
    await api.context.outbox.drained()
    found: dict[str, Any] = await api.get(f"/api/v1/incidents/{opened['id']}")
    return found


async def _tell_again(api: Api, incident: Any) -> None:
    answer = await api.get(f"/api/v1/investigations/{incident['answers'][0]['investigation']}")
    await tell(api.context, incident, answer)
    await api.context.outbox.drained()


async def _counted(api: Api) -> dict[str, float]:
    lines = (await api.client.get("/metrics")).text.splitlines()
    found = [line.rpartition(" ") for line in lines if line.startswith("whence_notifications_total{")]
    return {name.partition("{")[2]: float(count) for name, _, count in found}


def _paths(listener: Listener) -> list[str]:
    return [path for path, *_ in listener.heard]


async def test_slack_bot_writes_one_message_and_edits_it(tmp_path: Path) -> None:
    with listening() as listener:
        written = {"ok": True, "channel": "C1", "ts": "17.5"}
        listener.replies = {"/api/chat.postMessage": (200, written), "/api/chat.update": (200, written)}
        host = listener.url.partition("://")[2]
        async with running_api(tmp_path, notify=f"slack-bot:http://xoxb-1@{host}/api#C1") as api:
            incident = await _opened(api)
            await _tell_again(api, incident)
            assert await _counted(api) == {'kind="slack-bot",outcome="sent"}': 2}
    assert _paths(listener) == ["/api/chat.postMessage", "/api/chat.update"]
    assert listener.tokens == {"Bearer xoxb-1"}
    (_, _, first), (_, _, second) = listener.heard
    assert (first["channel"], second["channel"], second["ts"]) == ("C1", "C1", "17.5")
    assert first["blocks"] == second["blocks"]


async def test_message_that_somebody_deleted_is_written_anew(tmp_path: Path) -> None:
    with listening() as listener:
        written = {"ok": True, "channel": "C1", "ts": "17.5"}
        gone = {"ok": False, "error": "message_not_found"}
        listener.replies = {"/chat.postMessage": (200, written), "/chat.update": (200, gone)}
        host = listener.url.partition("://")[2]
        async with running_api(tmp_path, notify=f"slack-bot:http://xoxb-1@{host}#C1") as api:
            await _tell_again(api, await _opened(api))
    assert _paths(listener) == ["/chat.postMessage", "/chat.update", "/chat.postMessage"]


async def test_refusal_in_a_reply_of_200_is_a_failure_and_is_not_tried_again(tmp_path: Path) -> None:
    with listening() as listener:
        listener.replies = {"/chat.postMessage": (200, {"ok": False, "error": "invalid_auth"})}
        host = listener.url.partition("://")[2]
        async with running_api(tmp_path, notify=f"slack-bot:http://xoxb-1@{host}#C1") as api:
            await _opened(api)
            assert await _counted(api) == {'kind="slack-bot",outcome="failed"}': 1}
    assert _paths(listener) == ["/chat.postMessage"]


async def test_grafana_gets_one_annotation_at_the_onset_and_later_answers_change_it(tmp_path: Path) -> None:
    with listening() as listener:
        listener.replies = {"/api/annotations": (200, {"id": 7, "message": "Annotation added"})}
        host = listener.url.partition("://")[2]
        async with running_api(tmp_path, notify=f"grafana:http://glsa_1@{host}/") as api:
            incident = await _opened(api)
            await _tell_again(api, incident)
            listener.replies["/api/annotations/7"] = (404, {"message": "not found"})
            await _tell_again(api, incident)
    assert _paths(listener) == ["/api/annotations", "/api/annotations/7", "/api/annotations/7", "/api/annotations"]
    assert listener.tokens == {"Bearer glsa_1"}
    _, _, annotation = listener.heard[0]
    assert abs(annotation["time"] - at(END) // 1_000_000) < 3_600_000
    assert {"whence", "checkout"} <= set(annotation["tags"])
    assert "Pay &lt;fails&gt;" in annotation["text"]
    assert "v40 → v41" in annotation["text"]


async def test_address_that_is_gone_fails_after_some_tries_and_does_not_stop_the_answer(tmp_path: Path) -> None:
    with listening() as listener:
        gone = listener.url
    with listening() as listener:
        async with running_api(tmp_path, notify=f"webhook:{gone},slack:{listener.url}/hook") as api:
            incident = await _opened(api)
            assert len(incident["answers"]) == 1
            counted = await _counted(api)
    assert counted == {'kind="webhook",outcome="failed"}': 1, 'kind="slack",outcome="sent"}': 1}
    assert _paths(listener) == ["/hook"]


async def test_answer_that_waited_when_whence_was_killed_is_sent_after_the_restart(tmp_path: Path) -> None:
    with listening() as listener:
        async with running_api(tmp_path, notify=f"webhook:{listener.url}/events") as api:
            await api.store.upsert(shop())
            api.context.outbox.put = lambda *_: None  # type: ignore[method-assign]  # killed before it could be sent
            await api.post("/api/v1/incidents", {"title": "Pay", "entity": "checkout", "signal": "errors"})
        assert listener.heard == []
        async with running_api(tmp_path, notify=f"webhook:{listener.url}/events") as api:
            assert await tell_what_waits(api.context) == 1
            await api.context.outbox.drained()
            assert await tell_what_waits(api.context) == 0, "what was sent waits no longer"
    assert _paths(listener) == ["/events"]


async def test_what_waited_for_an_address_that_is_gone_or_too_long_is_forgotten(tmp_path: Path) -> None:
    async with running_api(tmp_path, notify="webhook:http://127.0.0.1:9/a") as api:
        await api.store.upsert(shop())
        api.context.outbox.put = lambda *_: None  # type: ignore[method-assign]
        await api.post("/api/v1/incidents", {"title": "Pay", "entity": "checkout", "signal": "errors"})
    async with running_api(tmp_path) as api:
        assert await tell_what_waits(api.context) == 1
        assert await tell_what_waits(api.context) == 0


async def test_status_that_a_person_says_is_told(tmp_path: Path) -> None:
    with listening() as listener:
        notify = f"webhook:{listener.url}/events,slack:{listener.url}/slack"
        async with running_api(tmp_path, notify=notify) as api:
            incident = await _opened(api)
            api.now_ns += 1_000_000_000
            await api.post(f"/api/v1/incidents/{incident['id']}/status", {"status": "mitigated"})
            await api.context.outbox.drained()
    ids = [body["id"] for path, _, body in listener.heard if path == "/events"]
    assert len(set(ids)) == 2
    assert ids[1].endswith("/mitigated")
    assert [body["text"].startswith("[mitigated]") for path, _, body in listener.heard if path == "/slack"] == [
        False,
        True,
    ]
