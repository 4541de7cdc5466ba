"""Flux: what its controllers rolled out, from a provider of type ``generic-hmac``.

A revision of Flux is a commit of the repository of *manifests*, or the version of a chart: it stands in the summary.
Which version of the application runs afterwards is told where the metadata of the event name it: ``app-version`` of a
Helm release, or ``version`` that an alert adds as ``eventMetadata``, as it may add ``env``.
"""

from __future__ import annotations

from whence.intake.fields import Json, as_map, as_text, instant_ns
from whence.intake.webhooks.delivery import (
    Delivery,
    Receipt,
    change_id,
    json_object,
    recorded,
    required_name,
    short_text,
    summary_text,
)
from whence.intake.webhooks.labels import environment
from whence.model.change import Change
from whence.model.environments import environment_name
from whence.model.kinds import ChangeKind

SOURCE = "flux"

_ROLLED_OUT = frozenset(
    {"ReconciliationSucceeded", "InstallSucceeded", "UpgradeSucceeded", "RollbackSucceeded", "UninstallSucceeded"}
)
_KINDS = frozenset({"Kustomization", "HelmRelease"})


def read(delivery: Delivery) -> Receipt:
    """The roll-out that an event tells of.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    event = json_object(delivery.body)
    reason = required_name(event, "reason", "")
    involved = as_map(event.get("involvedObject"))
    kind = required_name(involved, "kind", "involvedObject")
    if kind not in _KINDS or reason not in _ROLLED_OUT:
        return Receipt(reason, ignored=f"{reason} of a {kind} rolls nothing out")
    name, namespace = required_name(involved, "name", "involvedObject"), as_text(involved.get("namespace")) or ""
    at_ns = instant_ns("timestamp", required_name(event, "timestamp", ""), now_ns=delivery.now_ns)
    known = _metadata(event)
    change = Change(
        id=change_id(SOURCE, kind, f"{namespace}/{name}", reason, str(at_ns)),
        kind=ChangeKind.DEPLOYMENT,
        subject=name,
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=short_text(known.get("version") or known.get("app-version")),
        environment=environment_name(environment(known)),
        actor=short_text(event.get("reportingController")),
        summary=summary_text(f"{reason} of {kind} {namespace}/{name}, revision {known.get('revision', 'unnamed')}"),
        source=SOURCE,
    )
    return recorded(reason, change)


def _metadata(event: Json) -> Json:
    """Metadata by the last step of their names: controllers put the name of their group before it."""
    return {name.rpartition("/")[2]: as_text(value) for name, value in as_map(event.get("metadata")).items() if value}
