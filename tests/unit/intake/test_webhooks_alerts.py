"""Alerts of other tools: what fires, since when, and what it names."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.errors import BadSignature, InvalidQuery
from whence.intake.webhooks import alertmanager, generic, pagerduty
from whence.intake.webhooks.signatures import verify_pagerduty
from whence.model.kinds import Signal
from whence.model.times import parse_time_ns

STARTED_NS = parse_time_ns("2026-11-24T00:21:22.704978Z", now_ns=0)


def pagerduty_event(name: str, **data: Any) -> dict[str, Any]:
    content = {
        "id": "PGR0VU2",
        "type": "incident",
        "created_at": "2026-11-24T00:10:00Z",
        "title": "Checkout is slow",
        "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
        "service": {"id": "PF9KMXH", "summary": "checkout"},
    }
    event = {"id": "01ABC", "event_type": name, "occurred_at": "2026-11-24T00:20:00Z", "data": content | data}
    return {"event": event}


def test_alertmanager_tells_what_fires_and_since_when() -> None:
    (alert,) = alertmanager.read(delivery(payload("alertmanager/firing"))).alerts
    assert (alert.source, alert.key, alert.is_firing) == ("alertmanager", "48d990698f63cfb0", True)
    assert (alert.title, alert.summary) == ("PredictionLatencyHigh", "p95 over 2s")
    assert abs(alert.started_ns - STARTED_NS) < 1_000
    assert alert.at_ns == alert.started_ns
    assert alert.names == ("model-server", "churn")
    assert alert.url == "http://prom.example/graph?g0.expr=x"


def test_resolved_notification_is_the_same_alert_and_group_and_over() -> None:
    (fires,) = alertmanager.read(delivery(payload("alertmanager/firing"))).alerts
    (over,) = alertmanager.read(delivery(payload("alertmanager/resolved"))).alerts
    assert (over.group, over.key, over.started_ns) == (fires.group, fires.key, fires.started_ns)
    assert not over.is_firing
    assert over.at_ns == parse_time_ns("2026-11-24T00:21:25Z", now_ns=0)


def test_explicit_labels_go_before_names() -> None:
    body = payload("alertmanager/firing")
    body["alerts"][0]["labels"] |= {
        "whence_entity": "otel://shop#pay",
        "service_namespace": "shop",
        "service_name": "checkout",
        "whence_signal": "latency",
        "env": "production",
    }
    (alert,) = alertmanager.read_grafana(delivery(body)).alerts
    assert alert.names[:3] == ("otel://shop#pay", "otel://shop#checkout", "checkout")
    assert (alert.source, alert.signal, alert.environment) == ("grafana", Signal.LATENCY, "production")


@pytest.mark.parametrize("field", ["groupKey", "alerts"])
def test_alertmanager_without_what_it_always_sends_is_refused(field: str) -> None:
    body = payload("alertmanager/firing")
    del body[field]
    with pytest.raises(InvalidQuery, match=field):
        alertmanager.read(delivery(body))


@pytest.mark.parametrize(("name", "is_firing"), [("incident.triggered", True), ("incident.resolved", False)])
def test_pagerduty_incident_is_an_alert(name: str, is_firing: bool) -> None:
    (alert,) = pagerduty.read(delivery(pagerduty_event(name))).alerts
    assert (alert.key, alert.is_firing, alert.names) == ("PGR0VU2", is_firing, ("checkout",))
    assert alert.started_ns == parse_time_ns("2026-11-24T00:10:00Z", now_ns=0)
    assert alert.at_ns == parse_time_ns("2026-11-24T00:20:00Z", now_ns=0)


def test_other_events_of_pagerduty_are_ignored_with_a_reason() -> None:
    receipt = pagerduty.read(delivery(pagerduty_event("incident.annotated")))
    assert receipt.alerts == ()
    assert receipt.ignored


def test_pagerduty_signature_may_stand_among_several() -> None:
    request = delivery(pagerduty_event("incident.triggered"))
    right = "v1=" + hmac.new(b"secret", request.body, "sha256").hexdigest()
    verify_pagerduty(delivery(request.body, {"X-PagerDuty-Signature": f"v1=0000, {right}"}), b"secret")
    with pytest.raises(BadSignature):
        verify_pagerduty(delivery(request.body, {"X-PagerDuty-Signature": "v1=0000"}), b"secret")
    with pytest.raises(BadSignature):
        verify_pagerduty(request, b"secret")


def test_generic_alert_needs_an_id_a_status_and_a_title() -> None:
    body = {"id": "a-1", "status": "firing", "title": "slow", "entity": "checkout", "signal": "latency"}
    (alert,) = generic.read(delivery(body)).alerts
    assert (alert.group, alert.names, alert.signal, alert.started_ns) == ("a-1", ("checkout",), Signal.LATENCY, NOW_NS)
    for field, value in (
        ("id", None),
        ("status", "maybe"),
        ("title", ""),
        ("signal", "smell"),
        ("started_at", "later"),
    ):
        with pytest.raises(InvalidQuery, match=field):
            generic.read(delivery(body | {field: value}))


def test_address_that_may_start_a_script_is_no_link() -> None:
    body = {"id": "a-1", "status": "firing", "title": "slow", "url": "javascript:alert(1)"}
    assert generic.read(delivery(body)).alerts[0].url is None
