"""Revisions of workloads to reports of changes. Pure.

Kubernetes keeps one object for each version of a pod template: a ReplicaSet of a Deployment, a ControllerRevision of a
StatefulSet or DaemonSet. Its creation is the moment of the roll-out, so whoever looks later sees the same moment, and
nothing is lost or told twice while nobody looks. A roll-back gives an old object a new number; when that was is known
only to who watched it happen, so one that is found afterwards is not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from whence.intake.fields import Json, as_list, as_map, as_text
from whence.intake.images import image_version, own_image

Report = dict[str, str | None]
"""Body of ``POST /api/v1/changes``."""

_ANNOTATION = "resource.opentelemetry.io/"
_REVISION = "deployment.kubernetes.io/revision"
_CAUSE = "kubernetes.io/change-cause"


class Revision(NamedTuple):
    """One version of the pods of a workload."""

    uid: str
    workload: str
    """Kind, namespace and name."""
    number: int
    """Higher than those of all versions that were rolled out before."""
    created_at: str
    subject: str
    version: str | None
    environment: str | None
    cause: str | None


def revision_of(item: Json) -> Revision | None:
    """What a ReplicaSet or ControllerRevision tells, or None where no workload owns it."""
    metadata = as_map(item.get("metadata"))
    owner = next((one for one in map(as_map, as_list(metadata.get("ownerReferences"))) if one.get("controller")), None)
    uid, created_at, number = as_text(metadata.get("uid")), as_text(metadata.get("creationTimestamp")), _number(item)
    if owner is None or uid is None or created_at is None or number is None:
        return None
    template = _template(item)
    name = as_text(owner.get("name")) or ""
    notes = as_map(as_map(template.get("metadata")).get("annotations"))
    labels = as_map(as_map(template.get("metadata")).get("labels"))
    return Revision(
        uid=uid,
        workload=f"{owner.get('kind')} {metadata.get('namespace')}/{name}",
        number=number,
        created_at=created_at,
        subject=_subject(name, notes, labels),
        version=_version(name, template, notes, labels),
        environment=as_text(notes.get(f"{_ANNOTATION}deployment.environment.name")),
        cause=as_text(as_map(metadata.get("annotations")).get(_CAUSE)),
    )


class Rollouts:
    """All revisions that were seen, and which of them are news.

    Args:
        environment: Of workloads whose annotations name none.
    """

    def __init__(self, environment: str | None) -> None:
        self._environment = environment
        self._workloads: dict[str, dict[str, Revision]] = defaultdict(dict)

    def found(self, items: Iterable[Json]) -> list[Report]:
        """Reports of the revisions in a list of objects that were not seen before, the oldest first."""
        new = [one for one in map(revision_of, items) if one is not None and self._is_new(one)]
        for revision in new:
            self._workloads[revision.workload][revision.uid] = revision
        dated = [one for one in new if not self._is_old(one)]
        return [self._report(one, one.created_at) for one in sorted(dated, key=lambda one: (one.created_at, one.uid))]

    def seen(self, item: Json, now: str) -> list[Report]:
        """The report of an object that just came or changed: none where it is the same revision as before."""
        revision = revision_of(item)
        if revision is None or not self._is_new(revision):
            return []
        was_known = revision.uid in self._workloads[revision.workload]
        self._workloads[revision.workload][revision.uid] = revision
        return [self._report(revision, now if was_known else revision.created_at)]

    def _is_new(self, revision: Revision) -> bool:
        known = self._workloads[revision.workload].get(revision.uid)
        return known is None or known.number < revision.number

    def _is_old(self, revision: Revision) -> bool:
        """Whether it was rolled back to: something with a lower number came after it."""
        others = self._workloads[revision.workload].values()
        return any(one.number < revision.number and one.created_at > revision.created_at for one in others)

    def _report(self, revision: Revision, at: str) -> Report:
        before = self._before(revision)
        from_version = before.version if before is not None else None
        is_same_code = from_version is not None and from_version == revision.version
        return {
            "id": f"kubernetes:{revision.uid}:{revision.number}",
            "kind": "config" if is_same_code else "deployment",
            "subject": revision.subject,
            "from": from_version,
            "to": revision.version,
            "environment": revision.environment or self._environment,
            "effective_at": at,
            "summary": revision.cause or f"revision {revision.number} of {revision.workload}",
        }

    def _before(self, revision: Revision) -> Revision | None:
        others = self._workloads[revision.workload].values()
        return max((one for one in others if one.number < revision.number), key=lambda one: one.number, default=None)


def _number(item: Json) -> int | None:
    stated = item.get("revision") or as_map(as_map(item.get("metadata")).get("annotations")).get(_REVISION)
    text = as_text(stated) or ""
    return int(text) if text.isascii() and text.isdigit() else None


def _template(item: Json) -> Json:
    """The pod template: of a ReplicaSet in ``spec``, of a ControllerRevision in ``data.spec``."""
    spec = as_map(item.get("spec")) or as_map(as_map(item.get("data")).get("spec"))
    return as_map(spec.get("template"))


def _subject(name: str, notes: Mapping[str, Any], labels: Mapping[str, Any]) -> str:
    """The service as its spans name it, in the order in which OpenTelemetry's Kubernetes attributes are derived."""
    named = (
        as_text(notes.get(f"{_ANNOTATION}service.name"))
        or as_text(labels.get("app.kubernetes.io/instance"))
        or as_text(labels.get("app.kubernetes.io/name"))
        or name
    )
    namespace = as_text(notes.get(f"{_ANNOTATION}service.namespace"))
    return f"otel://{namespace}#{named}" if namespace else named


def _version(name: str, template: Json, notes: Mapping[str, Any], labels: Mapping[str, Any]) -> str | None:
    stated = as_text(notes.get(f"{_ANNOTATION}service.version")) or as_text(labels.get("app.kubernetes.io/version"))
    image = own_image(name, _images(template))
    return stated or (image_version(image) if image else None)


def _images(template: Json) -> Sequence[str]:
    containers = map(as_map, as_list(as_map(template.get("spec")).get("containers")))
    return [text for one in containers if (text := as_text(one.get("image")))]
