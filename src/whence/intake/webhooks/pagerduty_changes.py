"""Change events in the shape of PagerDuty's ``/v2/change/enqueue``, which many tools can send.

The shape names no service: PagerDuty knows it by the routing key. Here it is taken from ``custom_details``
(``service``, ``repo``), else from ``source``. An event has no id, so equal content is one change, and ``timestamp``
must be there.
"""

from __future__ import annotations

import hashlib
import json

from whence.intake.fields import Json, as_list, as_map, as_text, instant_ns
from whence.intake.webhooks.delivery import (
    Delivery,
    Receipt,
    change_id,
    json_object,
    last_step,
    link,
    recorded,
    required_name,
    short_text,
    summary_text,
)
from whence.intake.webhooks.labels import environment
from whence.model.change import Change
from whence.model.environments import environment_name
from whence.model.kinds import ChangeKind

SOURCE = "pagerduty-changes"


def read(delivery: Delivery) -> Receipt:
    """The change of an event.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    event = json_object(delivery.body)
    content = as_map(event.get("payload"))
    details = as_map(content.get("custom_details"))
    summary = required_name(content, "summary", "payload")
    at_ns = instant_ns("payload.timestamp", required_name(content, "timestamp", "payload"), now_ns=delivery.now_ns)
    version = short_text(details.get("version") or details.get("revision"))
    change = Change(
        id=change_id(SOURCE, hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()),
        # Without a version it may be anything: a rotated secret, a merged pull request.
        kind=ChangeKind.DEPLOYMENT if version else ChangeKind.OTHER,
        subject=_subject(content, details),
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=version,
        environment=environment_name(environment(details)),
        actor=short_text(details.get("user")),
        url=link(*(as_map(one).get("href") for one in as_list(event.get("links")))),
        summary=summary_text(summary),
        source=SOURCE,
    )
    return recorded("change", change)


def _subject(content: Json, details: Json) -> str:
    for name in ("whence_entity", "service"):
        if as_text(details.get(name)):
            return required_name(details, name, "payload.custom_details")
    repository = short_text(details.get("repo"))
    return last_step(repository.removesuffix(".git")) if repository else required_name(content, "source", "payload")
