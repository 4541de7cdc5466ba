"""CDEvents over CloudEvents: binary (the body is the event), structured (the event is ``data``), or bare.

Events are recognised by subject and predicate. The version of the vocabulary is not looked at: what is read here has
been the same from 0.4 on. One event is one change; its id is made of source and id, which CloudEvents make unique, and
of the type, since published examples of several types share an id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from whence.errors import InvalidReference
from whence.intake.fields import Json, as_map, instant_ns
from whence.intake.purl import Artifact, parse_purl
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
from whence.model.alert import Alert
from whence.model.change import Change
from whence.model.environments import environment_name
from whence.model.kinds import ChangeKind
from whence.model.refs import parse_ref

SOURCE = "cdevents"

_TYPE = re.compile(r"dev\.cdevents\.([a-z]+\.[a-z]+)(?:\.|\Z)")


class _What(NamedTuple):
    """What was changed, as far as the subject of an event says."""

    kind: ChangeKind
    subject: str
    from_version: str | None = None
    to_version: str | None = None
    environment: str = ""


def read(delivery: Delivery) -> Receipt:
    """The change that an event tells of.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    body = json_object(delivery.body)
    is_structured = "context" not in body and "data" in body
    event, place = (as_map(body["data"]), "data.") if is_structured else (body, "")
    event_type = required_name(as_map(event.get("context")), "type", f"{place}context")
    match = _TYPE.match(event_type)
    name = match[1] if match else event_type[:100]
    if name.startswith("incident."):
        return Receipt(name, alerts=(_alert(name, event, place, delivery),))
    reader = _READERS.get(name)
    if reader is None:
        return Receipt(name, ignored="this event is not known to change a running system")
    subject = as_map(event.get("subject"))
    what = reader(required_name(subject, "id", f"{place}subject"), as_map(subject.get("content")))
    return recorded(name, _change(name, event, place, what, delivery))


def _alert(name: str, event: Json, place: str, delivery: Delivery) -> Alert:
    context, subject = as_map(event["context"]), as_map(event.get("subject"))
    content = as_map(subject.get("content"))
    incident = required_name(subject, "id", f"{place}subject")
    time = required_name(context, "timestamp", f"{place}context")
    at_ns = instant_ns(f"{place}context.timestamp", time, now_ns=delivery.now_ns)
    service = short_text(as_map(content.get("service")).get("id"))
    return Alert(
        source=SOURCE,
        group=incident,
        key=incident,
        is_firing=name != "incident.resolved",
        title=short_text(content.get("description")) or incident,
        started_ns=at_ns,
        at_ns=at_ns,
        names=(_service(service),) if service else (),
        environment=_environment(content) or None,
        summary=summary_text(content.get("description")),
        url=link(content.get("uri")),
    )


def _change(name: str, event: Json, place: str, what: _What, delivery: Delivery) -> Change:
    context, subject = as_map(event["context"]), as_map(event["subject"])
    content = as_map(subject.get("content"))
    source = required_name(context, "source", f"{place}context")
    event_id = required_name(context, "id", f"{place}context")
    time = required_name(context, "timestamp", f"{place}context")
    at_ns = instant_ns(f"{place}context.timestamp", time, now_ns=delivery.now_ns)
    return Change(
        id=change_id(SOURCE, name, source, event_id),
        kind=what.kind,
        subject=what.subject,
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        from_version=what.from_version,
        to_version=what.to_version,
        environment=what.environment,
        actor=short_text(content.get("user")),
        url=link(content.get("uri")),
        summary=summary_text(f"{name} {subject['id']} by {source}"),
        source=SOURCE,
    )


def _service_with_artifact(subject_id: str, content: Json) -> _What:
    version = _artifact(content.get("artifactId")).version
    return _What(ChangeKind.DEPLOYMENT, _service(subject_id), to_version=version, environment=_environment(content))


def _service_removed(subject_id: str, content: Json) -> _What:
    version = _artifact(content.get("artifactId")).version
    return _What(ChangeKind.DEPLOYMENT, _service(subject_id), from_version=version, environment=_environment(content))


def _artifact_published(subject_id: str, _: Json) -> _What:
    artifact = _artifact(subject_id)
    return _What(ChangeKind.OTHER, artifact.name, to_version=artifact.version)


def _change_merged(subject_id: str, content: Json) -> _What:
    repository = short_text(as_map(content.get("repository")).get("id"))
    return _What(ChangeKind.OTHER, last_step(repository or subject_id))


def _environment_modified(subject_id: str, _: Json) -> _What:
    return _What(ChangeKind.INFRASTRUCTURE, subject_id, environment=environment_name(subject_id))


_READERS: Mapping[str, Callable[[str, Json], _What]] = {
    "service.deployed": _service_with_artifact,
    "service.upgraded": _service_with_artifact,
    "service.rolledback": _service_with_artifact,
    "service.removed": _service_removed,
    "artifact.published": _artifact_published,
    "change.merged": _change_merged,
    "environment.modified": _environment_modified,
}
"""From the id and the content of the subject, by subject and predicate."""


def _service(subject_id: str) -> str:
    """Key of the service where the id is a reference, else its bare name: producers put a path before it."""
    try:
        return str(parse_ref(subject_id).base)
    except InvalidReference:
        return last_step(subject_id)


def _environment(content: Json) -> str:
    return environment_name(short_text(as_map(content.get("environment")).get("id")))


def _artifact(value: object) -> Artifact:
    """Name and version; an id that is no package URL is its own name and version."""
    text = short_text(value)
    return parse_purl(text or "") or Artifact(text or "", text)
