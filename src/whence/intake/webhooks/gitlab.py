"""GitLab: deployments that succeeded, jobs of pipelines that deployed, and releases.

The subject is the last step of the project's path: GitLab doesn't know what the service is called. The hook of a
deployment and the hook of its pipeline tell of the same job, so they are one change, whichever of them is switched on.
Hooks whose payload holds no time (tags, feature flags) are no change: nobody could tell a repeated one from a new one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

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
from whence.model.change import Change
from whence.model.environments import environment_name
from whence.model.kinds import ChangeKind

SOURCE = "gitlab"

_NO_CHANGE = {
    "push": "pushed code runs nowhere before it is deployed",
    "tag_push": "a tag runs nowhere before it is deployed, and GitLab sends no time with it",
    "build": "a job is no change by itself; the deployment that it makes is",
    "feature_flag": "GitLab sends no time with a flag; report it to /api/v1/changes",
}
_COMMIT_URL = re.compile(r"/commit/([0-9a-f]{40}(?:[0-9a-f]{24})?)\Z")
_ZONE = re.compile(r" (?:UTC|([+-]\d{4}))\Z")


def read(delivery: Delivery) -> Receipt:
    """The changes that a delivery tells of; kind and payload are those of GitLab's webhooks.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field of a change is missing or has a bad value.
    """
    payload = json_object(delivery.body)
    kind = required_name(payload, "object_kind", "")
    reader = _READERS.get(kind)
    if reader is None:
        return Receipt(kind, ignored=_NO_CHANGE.get(kind, "this event is not known to change a running system"))
    return reader(payload, delivery)


def _deployment(payload: Json, delivery: Delivery) -> Receipt:
    status = required_name(payload, "status", "")
    if status != "success":
        return Receipt("deployment", ignored=f"a deployment counts once its status is success, this one is {status}")
    job = as_text(payload.get("deployable_id"))
    identity = ("job", job) if job else ("deployment", required_name(payload, "deployment_id", ""))
    at_ns = _instant(payload, "status_changed_at", "", delivery)
    change = Change(
        id=change_id(SOURCE, _path(payload), *identity),
        kind=ChangeKind.DEPLOYMENT,
        subject=last_step(_path(payload)),
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=_commit(payload),
        environment=environment_name(short_text(payload.get("environment"))),
        actor=_username(payload),
        url=link(payload.get("deployable_url"), _project(payload).get("web_url")),
        summary=summary_text(payload.get("commit_title")),
        source=SOURCE,
    )
    return recorded("deployment", change)


def _pipeline(payload: Json, delivery: Delivery) -> Receipt:
    """The jobs of a pipeline that brought something into an environment; others built or tested."""
    jobs = list(enumerate(as_map(job) for job in as_list(payload.get("builds"))))
    changes = [_job(payload, job, f"builds.{index}", delivery) for index, job in jobs if _has_deployed(job)]
    if not changes:
        return Receipt("pipeline", ignored="none of its jobs has deployed anything")
    return recorded("pipeline", *changes)


def _has_deployed(job: Json) -> bool:
    environment = as_map(job.get("environment"))
    return bool(environment) and environment.get("action") == "start" and job.get("status") == "success"


def _job(payload: Json, job: Json, place: str, delivery: Delivery) -> Change:
    pipeline = as_map(payload.get("object_attributes"))
    at_ns = _instant(job, "finished_at", place, delivery)
    return Change(
        id=change_id(SOURCE, _path(payload), "job", required_name(job, "id", place)),
        kind=ChangeKind.DEPLOYMENT,
        subject=last_step(_path(payload)),
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=required_name(pipeline, "sha", "object_attributes"),
        environment=environment_name(short_text(as_map(job["environment"]).get("name"))),
        actor=_username(payload),
        url=link(pipeline.get("url"), _project(payload).get("web_url")),
        summary=summary_text(as_map(payload.get("commit")).get("title")),
        source=SOURCE,
    )


def _release(payload: Json, delivery: Delivery) -> Receipt:
    action = required_name(payload, "action", "")
    if action != "create":
        return Receipt("release", ignored=f"only a new release counts, this one was: {action}")
    at_ns = _instant(payload, "released_at", "", delivery)
    tag = required_name(payload, "tag", "")
    change = Change(
        id=change_id(SOURCE, _path(payload), "release", tag),
        # Released is not yet running: the deployment that follows is a change of its own.
        kind=ChangeKind.OTHER,
        subject=last_step(_path(payload)),
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=tag,
        url=link(payload.get("url"), _project(payload).get("web_url")),
        summary=summary_text(payload.get("name")) or summary_text(f"release {tag} was published"),
        source=SOURCE,
    )
    return recorded("release", change)


_READERS: Mapping[str, Callable[[Json, Delivery], Receipt]] = {
    "deployment": _deployment,
    "pipeline": _pipeline,
    "release": _release,
}


def _project(payload: Json) -> Json:
    return as_map(payload.get("project"))


def _path(payload: Json) -> str:
    return required_name(_project(payload), "path_with_namespace", "project")


def _commit(payload: Json) -> str | None:
    """The whole commit from its address: the payload itself has only the first eight digits."""
    match = _COMMIT_URL.search(as_text(payload.get("commit_url")) or "")
    return match[1] if match else short_text(payload.get("short_sha"))


def _username(payload: Json) -> str | None:
    return short_text(as_map(payload.get("user")).get("username"))


def _instant(record: Json, field: str, place: str, delivery: Delivery) -> int:
    """A time as GitLab writes it: ``2021-04-28 21:50:00 +0200``, ``2016-08-12 15:26:29 UTC``, or RFC 3339."""
    text = _ZONE.sub(lambda zone: zone[1] or "Z", required_name(record, field, place))
    return instant_ns(f"{place}.{field}" if place else field, text, now_ns=delivery.now_ns)
