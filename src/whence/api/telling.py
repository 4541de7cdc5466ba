"""Answers to whoever wants to be told: a web hook, a channel, the panels of a dashboard.

Where a message can be edited, an incident has one: the first answer writes it, later ones change it. What came back for
the first is kept in the store, so that it is found again after a restart. So is what waits to be sent: after a kill it
is sent once more, and whoever got it already knows it by its id.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import httpx

from whence.api.context import Context
from whence.api.frozen import content_id, freeze
from whence.api.outbox import NotTold
from whence.incidents.life import IncidentJson
from whence.incidents.telling import cloudevent, grafana_annotation, slack_message
from whence.model.times import NS_PER_SECOND
from whence.store.protocol import MAX_PAGE, Document

TIMEOUT_S = 5.0
OUTGOING = "outgoing"
WAITS_NS = 3600 * NS_PER_SECOND
"""What waited longer for a restart is no news any more."""
_GONE_IN_SLACK = frozenset({"message_not_found", "channel_not_found", "cant_update_message"})


class _Address(NamedTuple):
    """``kind:https://secret@host/path#channel``, taken apart."""

    kind: str
    url: str
    secret: str
    channel: str

    @property
    def key(self) -> str:
        """Tells it from other addresses, and shows nothing of it."""
        return f"{self.kind}:{hashlib.sha256(f'{self.url}#{self.channel}'.encode()).hexdigest()[:16]}"


class _Told(NamedTuple):
    """Something to tell, and to whom."""

    context: Context
    address: _Address
    incident: IncidentJson
    answer: dict[str, Any]

    @property
    def base_url(self) -> str:
        return self.context.settings.parsed_public_url


async def tell(context: Context, incident: IncidentJson, answer: dict[str, Any]) -> None:
    """Let an answer be sent to every address of the settings, without waiting for it; the outbox counts the outcome."""
    for kind, text in context.settings.parsed_notify:
        await _put(_Told(context, _address(kind, text), incident, answer))


async def tell_what_waits(context: Context) -> int:
    """Send what waited when whence was stopped or killed, the oldest first; how many."""
    addresses = {one.key: one for one in (_address(*pair) for pair in context.settings.parsed_notify)}
    waiting = (await context.store.documents(OUTGOING, MAX_PAGE, None)).items
    for document in reversed(waiting):
        kept = json.loads(document.body)
        address = addresses.get(kept["address"])
        is_fresh = context.clock() - document.created_ns < WAITS_NS
        if address is not None and is_fresh:
            await _put(_Told(context, address, kept["incident"], kept["answer"]))
        else:
            await context.store.delete(OUTGOING, document.id)
    return len(waiting)


async def _put(told: _Told) -> None:
    """Keep a message, then let it be sent."""
    context, address = told.context, told.address
    body = {"address": address.key, "incident": told.incident, "answer": told.answer}
    document_id = content_id("out", body)
    await context.store.save(Document(OUTGOING, document_id, context.clock(), freeze(body)))
    context.outbox.put(
        address.kind,
        address.key,
        partial(_SENDERS[address.kind], told),
        partial(context.store.delete, OUTGOING, document_id),
    )


async def _to_webhook(told: _Told) -> None:
    event = cloudevent(told.incident, told.answer, told.base_url)
    await _send("POST", told.address, "", event, {"Content-Type": "application/cloudevents+json"})


async def _to_slack(told: _Told) -> None:
    await _send("POST", told.address, "", slack_message(told.incident, told.answer, told.base_url))


async def _to_slack_bot(told: _Told) -> None:
    """Write a message, or change the one that was written."""
    message = slack_message(told.incident, told.answer, told.base_url)
    before = await _remembered(told)
    if before is not None:
        reply = await _slack(told, "chat.update", {**message, **before})
        if reply.get("error") not in _GONE_IN_SLACK:
            _check_slack(reply)
            return
    reply = await _slack(told, "chat.postMessage", {**message, "channel": told.address.channel})
    _check_slack(reply)
    await _remember(told, {"channel": reply["channel"], "ts": reply["ts"]})


async def _slack(told: _Told, method: str, body: Mapping[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {told.address.secret}"}
    return (await _send("POST", told.address, f"/{method}", body, headers)).json()


def _check_slack(reply: Mapping[str, Any]) -> None:
    """Slack answers 200 to what it refuses."""
    if not reply.get("ok"):
        raise NotTold(f"it says {reply.get('error')}", retryable=False)


async def _to_grafana(told: _Told) -> None:
    """Write an annotation, or change the one that was written."""
    annotation = grafana_annotation(told.incident, told.answer, told.base_url)
    headers = {"Authorization": f"Bearer {told.address.secret}"}
    before = await _remembered(told)
    if before is not None:
        path = f"/api/annotations/{before['id']}"
        if (await _send("PATCH", told.address, path, annotation, headers, gone_is_fine=True)).status_code != 404:
            return
    reply = await _send("POST", told.address, "/api/annotations", annotation, headers)
    await _remember(told, {"id": reply.json()["id"]})


_SENDERS: Mapping[str, Callable[[_Told], Awaitable[None]]] = {
    "webhook": _to_webhook,
    "slack": _to_slack,
    "slack-bot": _to_slack_bot,
    "grafana": _to_grafana,
}


async def _send(
    method: str,
    address: _Address,
    path: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    *,
    gone_is_fine: bool = False,
) -> httpx.Response:
    """One request.

    Raises:
        NotTold: It could not be made, or was answered with an error.
    """
    sent = {"Content-Type": "application/json", **(headers or {})}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            reply = await client.request(method, address.url + path, content=json.dumps(body), headers=sent)
    except httpx.HTTPError as error:
        raise NotTold(type(error).__name__, retryable=True) from None
    if reply.is_error and not (gone_is_fine and reply.status_code == 404):
        raise NotTold(f"HTTP {reply.status_code}", retryable=reply.is_server_error or reply.status_code == 429)
    return reply


async def _remembered(told: _Told) -> Any:
    """What came back for the first message of an incident to an address; None before it."""
    document = await told.context.store.document(_kind(told), told.address.key)
    return json.loads(document.body) if document is not None else None


async def _remember(told: _Told, reply: Mapping[str, Any]) -> None:
    kept = Document(_kind(told), told.address.key, told.context.clock(), json.dumps(reply))
    await told.context.store.save(kept)


def _kind(told: _Told) -> str:
    return f"incident-told:{told.incident['id']}"


def _address(kind: str, text: str) -> _Address:
    url = httpx.URL(text)
    secret = url.username or url.password
    plain = url.copy_with(username=None, password=None, fragment=None) if kind in ("slack-bot", "grafana") else url
    return _Address(kind, str(plain).rstrip("/"), secret, url.fragment)
