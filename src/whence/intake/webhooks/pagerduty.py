"""PagerDuty's webhooks (v3): incidents that are triggered, acknowledged, reopened or resolved."""

from __future__ import annotations

from whence.intake.fields import as_map, as_text, instant_ns
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

SOURCE = "pagerduty"

_FIRING = frozenset({"incident.triggered", "incident.acknowledged", "incident.reopened", "incident.escalated"})
_OVER = "incident.resolved"


def read(delivery: Delivery) -> Receipt:
    """The incident as an alert; other events are none.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    event = as_map(json_object(delivery.body).get("event"))
    name = required_name(event, "event_type", "event")
    if name != _OVER and name not in _FIRING:
        return Receipt(name, ignored="this event does not open or close an incident")
    data = as_map(event.get("data"))
    incident = required_name(data, "id", "event.data")
    at_ns = instant_ns("event.occurred_at", required_name(event, "occurred_at", "event"), now_ns=delivery.now_ns)
    created = as_text(data.get("created_at"))
    started_ns = instant_ns("event.data.created_at", created, now_ns=delivery.now_ns) if created else at_ns
    service = short_text(as_map(data.get("service")).get("summary"))
    alert = Alert(
        source=SOURCE,
        group=incident,
        key=incident,
        is_firing=name != _OVER,
        title=short_text(data.get("title")) or "incident",
        started_ns=started_ns,
        at_ns=at_ns,
        names=(service,) if service else (),
        summary=summary_text(data.get("title")),
        url=link(data.get("html_url")),
    )
    return Receipt(name, alerts=(alert,))
