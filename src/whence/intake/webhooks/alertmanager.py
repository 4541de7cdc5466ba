"""Alertmanager, and Grafana's alerting, which sends the same shape: groups of alerts that fire or are over."""

from __future__ import annotations

from whence.errors import InvalidQuery
from whence.intake.fields import Json, as_list, as_map, as_text, instant_ns
from whence.intake.webhooks import labels as rules
from whence.intake.webhooks.delivery import (
    Delivery,
    Receipt,
    json_object,
    link,
    required_name,
    short_text,
    summary_text,
)
from whence.model.alert import Alert

SOURCE = "alertmanager"
GRAFANA = "grafana"
MOST_ALERTS = 1_000


def read(delivery: Delivery) -> Receipt:
    """The alerts of one notification of Alertmanager.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    return _read(delivery, SOURCE)


def read_grafana(delivery: Delivery) -> Receipt:
    """The same for Grafana."""
    return _read(delivery, GRAFANA)


def _read(delivery: Delivery, source: str) -> Receipt:
    body = json_object(delivery.body)
    group = required_name(body, "groupKey", "")
    alerts = as_list(body.get("alerts"))
    if not alerts:
        raise InvalidQuery("alerts", "required, a list that is not empty")
    found = [
        _alert(as_map(one), f"alerts.{index}", source, group, delivery.now_ns)
        for index, one in enumerate(alerts[:MOST_ALERTS])
    ]
    return Receipt(short_text(body.get("status")) or "notification", alerts=tuple(found))


def _alert(alert: Json, place: str, source: str, group: str, now_ns: int) -> Alert:
    labels, notes = as_map(alert.get("labels")), as_map(alert.get("annotations"))
    started_ns = instant_ns(f"{place}.startsAt", required_name(alert, "startsAt", place), now_ns=now_ns)
    is_firing = as_text(alert.get("status")) != "resolved"
    ended_ns = started_ns
    if not is_firing:
        ended_ns = instant_ns(f"{place}.endsAt", required_name(alert, "endsAt", place), now_ns=now_ns)
    return Alert(
        source=source,
        group=group,
        key=required_name(alert, "fingerprint", place),
        is_firing=is_firing,
        title=short_text(labels.get("alertname")) or "alert",
        started_ns=started_ns,
        at_ns=max(started_ns, ended_ns),
        names=rules.names(labels),
        environment=rules.environment(labels),
        operation=short_text(labels.get("operation")),
        signal=rules.signal(labels),
        summary=summary_text(notes.get("summary") or notes.get("description")),
        url=link(alert.get("generatorURL"), notes.get("runbook_url")),
    )
