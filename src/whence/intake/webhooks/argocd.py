"""Argo CD notifications: the application as ``{"app": {{toJson .app}}, "url": ...}``, sent once it is rolled out.

What is synced is a commit of the repository of *manifests*; what runs is an image. So the version is the image's, and
the commit stands in the summary.
"""

from __future__ import annotations

from collections.abc import Sequence

from whence.intake.fields import Json, as_list, as_map, as_text, instant_ns
from whence.intake.images import image_version, own_image
from whence.intake.webhooks.delivery import (
    Delivery,
    Receipt,
    change_id,
    json_object,
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

SOURCE = "argocd"


def read(delivery: Delivery) -> Receipt:
    """The roll-out that a notification tells of.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    payload = json_object(delivery.body)
    app = as_map(payload.get("app"))
    metadata, status = as_map(app.get("metadata")), as_map(app.get("status"))
    operation = as_map(status.get("operationState"))
    phase = required_name(operation, "phase", "app.status.operationState")
    if phase != "Succeeded":
        return Receipt("sync", ignored=f"a sync counts once it has succeeded, this one is: {phase}")
    name = required_name(metadata, "name", "app.metadata")
    finished = required_name(operation, "finishedAt", "app.status.operationState")
    at_ns = instant_ns("app.status.operationState.finishedAt", finished, now_ns=delivery.now_ns)
    change = Change(
        id=change_id(SOURCE, short_text(metadata.get("namespace")) or "", name, str(at_ns)),
        kind=ChangeKind.DEPLOYMENT,
        subject=name,
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=_version(name, as_list(as_map(status.get("summary")).get("images"))),
        environment=environment_name(environment(as_map(metadata.get("labels")))),
        actor=_actor(operation),
        url=link(payload.get("url")),
        summary=summary_text(_summary(app, status)),
        source=SOURCE,
    )
    return recorded("sync", change)


def _version(name: str, images: Sequence[object]) -> str | None:
    image = own_image(name, [text for one in images if (text := short_text(one))])
    return image_version(image) if image else None


def _actor(operation: Json) -> str | None:
    """Who asked for the sync; nobody where Argo CD did it by itself."""
    return short_text(as_map(as_map(operation.get("operation")).get("initiatedBy")).get("username"))


def _summary(app: Json, status: Json) -> str:
    revision = as_text(as_map(status.get("sync")).get("revision")) or "an unnamed revision"
    repository = as_text(as_map(as_map(app.get("spec")).get("source")).get("repoURL"))
    return f"synced to {revision} of {repository}" if repository else f"synced to {revision}"
