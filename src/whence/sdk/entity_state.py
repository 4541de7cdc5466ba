"""The ``entity.state`` event: everything that this instance has touched so far, in OpenTelemetry's words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from whence.model.names import (
    INPUTS,
    MODELS,
    OUTPUTS,
    REVISION,
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    SERVICE_VERSION,
    SHORT_ID,
)
from whence.sdk.edges import CALLERS, Edge

EVENT_NAME = "entity.state"
MAX_RELATIONSHIPS = 500
_VERBS = {
    MODELS: ("uses_model", "whence.model", "whence.model.ref"),
    INPUTS: ("reads", "whence.dataset", "whence.dataset.ref"),
    OUTPUTS: ("writes", "whence.dataset", "whence.dataset.ref"),
    CALLERS: ("called_by", "service", SHORT_ID),
}


def entity_state(resource: Mapping[str, Any], used: Iterable[Edge], *, interval_seconds: int) -> dict[str, Any]:
    """Attributes of the event.

    Args:
        resource: Attributes of the process's resource.
        used: What was used at least once; beyond 500, the busiest are told and the rest counted.
        interval_seconds: When the next event is due; 0 for the last one.
    """
    busiest = sorted(used, key=lambda edge: edge.count, reverse=True)
    description: dict[str, Any] = {SHORT_ID: short_id(resource)}
    if len(busiest) > MAX_RELATIONSHIPS:
        description["whence.truncated"] = len(busiest) - MAX_RELATIONSHIPS
    identity = (SERVICE_NAMESPACE, SERVICE_NAME, SERVICE_INSTANCE_ID)
    return {
        "entity.type": "service.instance",
        "entity.id": {name: str(resource.get(name, "")) for name in identity},
        "entity.description": description,
        "entity.report.interval": interval_seconds,
        "entity.relationships": [_relationship(edge) for edge in busiest[:MAX_RELATIONSHIPS]],
    }


def short_id(resource: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that stand for this version of this service in the trace state of its requests."""
    version = resource.get(REVISION) or resource.get(SERVICE_VERSION, "")
    identity = "\0".join(map(str, (resource.get(SERVICE_NAMESPACE, ""), resource.get(SERVICE_NAME, ""), version)))
    return hashlib.sha256(identity.encode()).hexdigest()[:8]


def _relationship(edge: Edge) -> dict[str, Any]:
    verb, kind, key = _VERBS[edge.attribute]
    return {
        "relationship.type": verb,
        "entity.type": kind,
        "entity.id": {key: edge.ref},
        "whence.count": edge.count,
        "whence.errors": edge.errors,
        "whence.first_seen": edge.first_ns,
        "whence.last_seen": edge.last_ns,
    }
