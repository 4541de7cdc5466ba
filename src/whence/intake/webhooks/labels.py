"""What the labels of an alert say of the symptom, by explicit rules; nothing is guessed."""

from __future__ import annotations

from whence.intake.fields import Json
from whence.intake.webhooks.delivery import short_text
from whence.model.kinds import Signal
from whence.model.refs import service_ref

NAMING = ("service_name", "service", "job", "dataset", "ml_model")
"""Labels that name what hurts, the most telling first. ``whence_entity`` goes before all of them."""
ENVIRONMENT = ("deployment_environment_name", "environment", "env")


def names(labels: Json) -> tuple[str, ...]:
    """References and bare names of what may hurt, the most explicit first."""
    found = [short_text(labels.get("whence_entity"))]
    namespace, service = short_text(labels.get("service_namespace")), short_text(labels.get("service_name"))
    if namespace and service:
        found.append(str(service_ref(namespace, service)))
    found += [short_text(labels.get(name)) for name in NAMING]
    return tuple(dict.fromkeys(name for name in found if name))


def environment(labels: Json) -> str | None:
    """The environment that a label names."""
    return next((text for name in ENVIRONMENT if (text := short_text(labels.get(name)))), None)


def signal(labels: Json) -> Signal | None:
    """The signal that the label ``whence_signal`` names."""
    text = short_text(labels.get("whence_signal"))
    return Signal(text) if text in frozenset(Signal) else None
