"""Spans of pipelines (``cicd.*`` of OpenTelemetry's conventions) as OTLP in JSON: what deployed is a change.

A pipeline is no part of the running system, so its spans come here by way of a Collector rather than to the receivers.
A span counts when it is a task of type ``deploy``, or a run with the action ``SYNC``, that ended in success.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from whence.errors import InvalidQuery
from whence.intake.fields import Json, as_list, as_map, as_text
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
from whence.model.change import Change
from whence.model.environments import environment_name
from whence.model.kinds import ChangeKind

SOURCE = "otel-cicd"

Stated = Mapping[str, str]

_LAST_NS = 9_000_000_000_000_000_000
"""In the year 2255; what is later is no time of a span."""


def read(delivery: Delivery) -> Receipt:
    """The deployments among the spans of one request.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field of a deployment is missing or has a bad value.
    """
    body = json_object(delivery.body)
    changes = [_change(span, stated, place, delivery) for span, stated, place in _spans(body) if _has_deployed(stated)]
    if not changes:
        return Receipt("spans", ignored="none of the spans is a deployment that succeeded")
    return recorded("spans", *changes)


def _spans(body: Json) -> Iterator[tuple[Json, Stated, str]]:
    """Each span with what it and its resource state, and its place in the body."""
    for block_number, block in enumerate(map(as_map, as_list(body.get("resourceSpans")))):
        resource = _stated(as_map(block.get("resource")))
        for scope_number, scope in enumerate(map(as_map, as_list(block.get("scopeSpans")))):
            for number, span in enumerate(map(as_map, as_list(scope.get("spans")))):
                place = f"resourceSpans.{block_number}.scopeSpans.{scope_number}.spans.{number}"
                yield span, {**resource, **_stated(span)}, place


def _stated(record: Json) -> Stated:
    """Attributes that are text, by name."""
    pairs = map(as_map, as_list(record.get("attributes")))
    texts = {as_text(pair.get("key")): as_text(as_map(pair.get("value")).get("stringValue")) for pair in pairs}
    return {key: text for key, text in texts.items() if key and text}


def _has_deployed(stated: Stated) -> bool:
    if stated.get("cicd.pipeline.task.type") == "deploy":
        return stated.get("cicd.pipeline.task.run.result", stated.get("cicd.pipeline.result")) == "success"
    return stated.get("cicd.pipeline.action.name") == "SYNC" and stated.get("cicd.pipeline.result") == "success"


def _change(span: Json, stated: Stated, place: str, delivery: Delivery) -> Change:
    at_ns = _end_ns(span, place)
    environment = stated.get("deployment.environment.name") or stated.get("deployment.environment")
    return Change(
        id=change_id(SOURCE, required_name(span, "traceId", place), required_name(span, "spanId", place)),
        kind=ChangeKind.DEPLOYMENT,
        subject=_subject(stated, place),
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=short_text(stated.get("vcs.ref.head.revision")),
        environment=environment_name(short_text(environment)),
        actor=short_text(stated.get("service.name")),
        url=link(stated.get("cicd.pipeline.task.run.url.full"), stated.get("cicd.pipeline.run.url.full")),
        summary=summary_text(stated.get("vcs.change.title") or span.get("name")),
        source=SOURCE,
    )


def _subject(stated: Stated, place: str) -> str:
    """What was deployed, else the repository that it was deployed from, else the pipeline."""
    repository = (short_text(stated.get("vcs.repository.url.full")) or "").removesuffix(".git")
    named = stated.get("deployment.name") or stated.get("vcs.repository.name") or last_step(repository)
    return short_text(named) or required_name(stated, "cicd.pipeline.name", f"{place}.attributes")


def _end_ns(span: Json, place: str) -> int:
    """``endTimeUnixNano``: text or a number, as OTLP in JSON allows."""
    text = required_name(span, "endTimeUnixNano", place)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _LAST_NS:
        raise InvalidQuery(f"{place}.endTimeUnixNano", "expected nanoseconds since 1970")
    return int(text)
