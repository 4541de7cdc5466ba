"""A shop with an incident, told to a running server the way applications tell it: spans, change reports, lineage."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from tests.otlp_requests import PROTOBUF, add_span, resource, traces
from tests.waiting import WAIT_SECONDS, eventually
from tests.whence_server import WhenceServer
from whence.model.times import format_time

SETTINGS = {"WHENCE_TRACE_IDLE_SECONDS": "1", "WHENCE_FLUSH_SECONDS": "0.5"}
MINUTES, ROLL_OUT = 16, 10
"""Length of the story, and when the new ranker comes; it takes half of the traffic."""
EVERY_SECONDS = 1
BAD_SHARE = 0.4
CHECKOUT = "otel://shop#checkout"
MODEL = "mlflow+https://ml.shop.dev#ranker@version:7"
DECLARED = f"""\
whence: 1
things:
  - {{name: "{CHECKOUT}", owner: team-shop, calls: ["otel://shop#payment", "otel://shop#fraud"]}}
  - {{name: "{MODEL.partition("@")[0]}", kind: model, owner: team-ml, labels: [behaviour]}}
"""
POLICIES = """\
whence: 1
policies:
  - {name: no-behaviour, because: nobody agreed to it, forbid: 'label == "behaviour"', enforce: true}
"""
_NS = 1_000_000_000


def tell(server: WhenceServer) -> dict[str, Any]:
    """Send the whole story, ask, and give the answer once it names a suspect."""
    now = time.time_ns()
    start = now - MINUTES * 60 * _NS
    roll_out = start + ROLL_OUT * 60 * _NS
    with httpx.Client(base_url=server.api, timeout=30) as client:
        for first in range(0, MINUTES * 60, 120):
            body = _requests(start, range(first, first + 120, EVERY_SECONDS), roll_out)
            httpx.post(f"{server.otlp_http}/v1/traces", content=body, headers=PROTOBUF).raise_for_status()
        client.post("/api/v1/changes", json=_changes(roll_out)).raise_for_status()
        client.put("/api/v1/declarations/shop?path=whence.yaml", content=DECLARED).raise_for_status()
        client.put("/api/v1/policies/law.yaml", content=POLICIES).raise_for_status()
        answer = _answer(client, now)
        client.post("/api/v1/webhooks/alertmanager", json=_alert(now, "checkout")).raise_for_status()
        client.post("/api/v1/webhooks/alertmanager", json=_alert(now, "planets")).raise_for_status()
    assert eventually(lambda: _is_answered(server))
    return answer


def incident_ids(server: WhenceServer) -> dict[str, str]:
    """Ids of the incident that was answered and of the one that asks what hurts."""
    items = httpx.get(f"{server.api}/api/v1/incidents").json()["items"]
    return {"unanswered" if one["asks"] else "answered": one["id"] for one in items}


def _is_answered(server: WhenceServer) -> bool:
    incident = httpx.get(f"{server.api}/api/v1/incidents/{incident_ids(server)['answered']}").json()
    return bool(incident["answers"])


def _requests(start: int, seconds: range, roll_out: int) -> bytes:
    luck = random.Random(seconds.start)
    blocks: dict[tuple[str, str], ResourceSpans] = {}

    def block(service: str, version: str, **more: str) -> ResourceSpans:
        named = {"service__namespace": "shop", "deployment__environment__name": "production"}
        return blocks.setdefault((service, version), resource(service, version, **named, **more))

    for second in seconds:
        at = start + second * _NS
        is_new = at >= roll_out and luck.random() < 0.5
        is_bad = is_new and luck.random() < BAD_SHARE
        trace = luck.randbytes(16)
        root, call, rank, pay = (luck.randbytes(8) for _ in range(4))
        checkout = block("checkout", "v1")
        ranker = block("ranker", "v41" if is_new else "v40", whence__models=MODEL)
        payment = block("payment", "p3")
        _span(checkout, "POST /pay", trace, root, b"", at, is_bad=is_bad)
        _span(checkout, "rank", trace, call, root, at + 1_000_000, is_bad=is_bad, is_client=True)
        _span(ranker, "POST /rank", trace, rank, call, at + 2_000_000, is_bad=is_bad)
        _span(payment, "POST /charge", trace, pay, root, at + 9_000_000, is_bad=False)
    return traces(*blocks.values()).SerializeToString()


def _span(
    block: ResourceSpans,
    name: str,
    trace: bytes,
    span: bytes,
    parent: bytes,
    at: int,
    *,
    is_bad: bool,
    is_client: bool = False,
) -> None:
    add_span(block, name, trace_id=trace, span_id=span, parent_id=parent, start_ns=at, millis=8)
    added = block.scope_spans[0].spans[-1]
    if is_client:
        added.kind = Span.SPAN_KIND_CLIENT
    if is_bad:
        added.status.code = Status.STATUS_CODE_ERROR


def _changes(roll_out: int) -> list[dict[str, Any]]:
    def change(name: str, kind: str, subject: str, minutes: float, before: str, after: str) -> dict[str, Any]:
        return {
            "id": name,
            "kind": kind,
            "subject": subject,
            "from": before,
            "to": after,
            "environment": "production",
            "effective_at": format_time(roll_out + round(minutes * 60 * _NS)),
            "url": f"https://git.shop.dev/changes/{name}",
        }

    return [
        change("dep-1", "deployment", "otel://shop#ranker", -0.05, "v40", "v41"),
        change("flag-1", "flag", CHECKOUT, -4, "off", "on"),
        change("infra-1", "infrastructure", "otel://shop#payment", -7, "small", "large"),
        change("late-1", "config", "otel://shop#payment", 4, "a", "b"),
    ]


def _alert(now: int, service: str) -> dict[str, Any]:
    alert = {
        "status": "firing",
        "labels": {"alertname": f"Errors of {service}", "service": service, "whence_signal": "errors"},
        "annotations": {"summary": "20 % of requests fail"},
        "startsAt": format_time(now - 120 * _NS),
        "fingerprint": service,
        "generatorURL": "https://prometheus.shop.dev/graph",
    }
    return {"version": "4", "groupKey": service, "status": "firing", "alerts": [alert]}


def _answer(client: httpx.Client, now: int) -> dict[str, Any]:
    body = {"symptom": {"entity": CHECKOUT, "signal": "errors"}, "detected_at": format_time(now - 120 * _NS)}
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        reply = client.post("/api/v1/investigations", json=body)
        if reply.is_success and reply.json()["suspects"] and _is_settled(client):
            answer: dict[str, Any] = client.post("/api/v1/investigations", json=body).json()
            return answer
        time.sleep(0.3)
    raise AssertionError("the story did not arrive")


def _is_settled(client: httpx.Client) -> bool:
    """Whether nothing waits to be folded or written."""
    lines = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    waiting = [line for line in lines if any(word in line for word in ("open_spans", "queued_bytes", "unflushed_rows"))]
    return len(waiting) > 1 and all(float(line.rpartition(" ")[2]) == 0 for line in waiting)
