"""GitHub: deployments that succeeded, and published releases.

The subject is the bare name of the repository: GitHub doesn't know what the service is called, and whichever service
bears that name is meant. A deployment is one change however many statuses say that it succeeded; the latest counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from whence.errors import DecodeError, InputError
from whence.intake.fields import Json, as_map, as_text, instant_ns
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
from whence.model.change import Change
from whence.model.environments import environment_name
from whence.model.kinds import ChangeKind

SOURCE = "github"

_NO_CHANGE = {
    "ping": "the webhook works; a ping is no change",
    "push": "pushed code runs nowhere before it is deployed",
    "deployment": "a deployment counts once its status is success",
    "workflow_run": "a workflow is no change by itself; the deployment that it makes is",
}
_STATES = {
    "failure": "the deployment failed, so nothing changed",
    "error": "the deployment failed, so nothing changed",
    "inactive": "a later deployment took its place and is a change of its own",
}


def read(delivery: Delivery) -> Receipt:
    """The change that a delivery tells of; event and payload are those of GitHub's webhooks.

    Raises:
        InputError: The event is not named, or the body is not what GitHub sends.
        InvalidQuery: A field of a change is missing or has a bad value.
    """
    event = delivery.headers.get("x-github-event")
    if not event:
        raise InputError("the header X-GitHub-Event is missing")
    payload = _payload(delivery)
    reader = _READERS.get(event)
    if reader is None:
        return Receipt(event, ignored=_NO_CHANGE.get(event, "this event is not known to change a running system"))
    return reader(payload, delivery)


def _payload(delivery: Delivery) -> Json:
    """The payload, also from a form: that is what a webhook sends until somebody chooses JSON."""
    if not delivery.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return json_object(delivery.body)
    form = parse_qs(delivery.body.decode("utf-8", "replace"))
    if "payload" not in form:
        raise DecodeError("the form has no field 'payload'")
    return json_object(form["payload"][0])


def _deployment_status(payload: Json, delivery: Delivery) -> Receipt:
    status, deployment = as_map(payload.get("deployment_status")), as_map(payload.get("deployment"))
    state = required_name(status, "state", "deployment_status")
    if state != "success":
        reason = _STATES.get(state, f"the deployment is not finished: {state}")
        return Receipt("deployment_status", ignored=reason)
    repository = as_map(payload.get("repository"))
    at_ns = _instant(status, "created_at", "deployment_status", delivery)
    ref, where = as_text(deployment.get("ref")), as_text(repository.get("full_name"))
    change = Change(
        id=change_id(SOURCE, "deployment", required_name(deployment, "id", "deployment")),
        kind=ChangeKind.DEPLOYMENT,
        subject=required_name(repository, "name", "repository"),
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=required_name(deployment, "sha", "deployment"),
        environment=environment_name(
            short_text(status.get("environment")) or short_text(deployment.get("environment"))
        ),
        actor=_login(status.get("creator")) or _login(payload.get("sender")),
        url=link(status.get("log_url"), status.get("target_url"), repository.get("html_url")),
        summary=summary_text(deployment.get("description")) or summary_text(f"{where} deployed from {ref}"),
        source=SOURCE,
    )
    return recorded("deployment_status", change)


def _release(payload: Json, delivery: Delivery) -> Receipt:
    action = required_name(payload, "action", "")
    if action != "published":
        return Receipt("release", ignored=f"only a published release counts, this one was {action}")
    release, repository = as_map(payload.get("release")), as_map(payload.get("repository"))
    at_ns = _instant(release, "published_at", "release", delivery)
    tag = required_name(release, "tag_name", "release")
    change = Change(
        id=change_id(SOURCE, "release", required_name(release, "id", "release")),
        # Published is not yet running: the deployment that follows is a change of its own.
        kind=ChangeKind.OTHER,
        subject=required_name(repository, "name", "repository"),
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=tag,
        actor=_login(release.get("author")) or _login(payload.get("sender")),
        url=link(release.get("html_url"), repository.get("html_url")),
        summary=summary_text(release.get("name")) or summary_text(f"release {tag} was published"),
        source=SOURCE,
    )
    return recorded("release", change)


_READERS: Mapping[str, Callable[[Json, Delivery], Receipt]] = {
    "deployment_status": _deployment_status,
    "release": _release,
}


def _instant(record: Json, field: str, place: str, delivery: Delivery) -> int:
    return instant_ns(f"{place}.{field}", required_name(record, field, place), now_ns=delivery.now_ns)


def _login(account: object) -> str | None:
    return short_text(as_map(account).get("login"))
