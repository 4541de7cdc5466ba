"""Alerts of tools that are not known here, in a JSON of our own; what can template its webhook can send it.

Where the tool can't, ``mapped`` reads its own JSON.

``{"id": ..., "status": "firing" | "resolved", "title": ..., "entity": ..., "started_at": ..., "ended_at": ...,
"group": ..., "environment": ..., "operation": ..., "signal": ..., "summary": ..., "url": ...}``; the first three are
required.
"""

from __future__ import annotations

from whence.errors import InvalidQuery
from whence.intake.fields import Json, as_text, instant_ns
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
from whence.model.kinds import Signal

SOURCE = "alert"
FIELDS = (
    "id",
    "status",
    "title",
    "entity",
    "started_at",
    "ended_at",
    "group",
    "environment",
    "operation",
    "signal",
    "summary",
    "url",
)
_STATUSES = ("firing", "resolved")


def read(delivery: Delivery) -> Receipt:
    """The alert.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    alert = alert_of(json_object(delivery.body), SOURCE, now_ns=delivery.now_ns)
    return Receipt("firing" if alert.is_firing else "resolved", alerts=(alert,))


def alert_of(fields: Json, source: str, *, now_ns: int) -> Alert:
    """The alert that ``FIELDS`` say.

    Raises:
        InvalidQuery: A field is missing or has a bad value.
    """
    key, status = required_name(fields, "id", ""), required_name(fields, "status", "")
    if status not in _STATUSES:
        raise InvalidQuery("status", f"expected one of {', '.join(_STATUSES)}")
    started_ns = _instant(fields, "started_at", now_ns)
    entity = as_text(fields.get("entity"))
    return Alert(
        source=source,
        group=short_text(fields.get("group")) or key,
        key=key,
        is_firing=status == "firing",
        title=required_name(fields, "title", ""),
        started_ns=started_ns,
        at_ns=started_ns if status == "firing" else max(started_ns, _instant(fields, "ended_at", now_ns)),
        names=(entity,) if entity else (),
        environment=short_text(fields.get("environment")),
        operation=short_text(fields.get("operation")),
        signal=_signal(fields),
        summary=summary_text(fields.get("summary")),
        url=link(fields.get("url")),
    )


def _instant(body: Json, field: str, now_ns: int) -> int:
    text = as_text(body.get(field))
    return instant_ns(field, text, now_ns=now_ns) if text else now_ns


def _signal(body: Json) -> Signal | None:
    text = as_text(body.get("signal"))
    if text is None:
        return None
    if text not in frozenset(Signal):
        raise InvalidQuery("signal", f"expected one of {', '.join(sorted(Signal))}")
    return Signal(text)
