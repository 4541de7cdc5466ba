"""MLflow's model registry: an alias that moves is a roll-out; a version that is registered is not one yet.

No delivery names the registry that sent it. Where its address is set, models get the reference that applications use;
else a change carries the bare name of its model, which stands for every model of that name.
"""

from __future__ import annotations

from typing import NamedTuple

from whence.errors import InvalidQuery
from whence.intake.fields import Json, as_map, as_text, instant_ns
from whence.intake.webhooks.delivery import (
    Delivery,
    Receipt,
    change_id,
    json_object,
    recorded,
    required_name,
    short_text,
)
from whence.model.change import Change
from whence.model.delta import Attribute, Entity, GraphDelta
from whence.model.kinds import VERSION_KINDS, ChangeKind, EntityKind
from whence.model.refs import MAX_REF_CHARS, Ref, make_ref

SOURCE = "mlflow"

_MODEL_SOURCE = "models:/"


class _Registered(NamedTuple):
    """How whence calls a kind of thing that the registry holds."""

    entity: EntityKind
    change: ChangeKind
    namespace: str
    """Where the registry's address is not known."""


_MODEL = _Registered(EntityKind.MODEL, ChangeKind.MODEL, "mlflow://")
_PROMPT = _Registered(EntityKind.PROMPT, ChangeKind.CONFIG, "prompt://mlflow")
_ALIASES = {"model_version_alias": _MODEL, "prompt_alias": _PROMPT}
_VERSIONS = {"model_version": _MODEL, "prompt_version": _PROMPT}


def read(delivery: Delivery) -> Receipt:
    """The facts of one event of the registry.

    Raises:
        DecodeError: The body is not a JSON object.
        InvalidQuery: A field is missing or has a bad value.
    """
    payload = json_object(delivery.body)
    entity, action = required_name(payload, "entity", ""), required_name(payload, "action", "")
    event = f"{entity}.{action}"
    at_ns = instant_ns("timestamp", required_name(payload, "timestamp", ""), now_ns=delivery.now_ns)
    data = as_map(payload.get("data"))
    if entity in _ALIASES and action in ("created", "deleted"):
        return recorded(event, _alias_change(_ALIASES[entity], action, data, delivery, at_ns))
    if entity in _VERSIONS and action == "created":
        return Receipt(event, _registered_version(_VERSIONS[entity], data, delivery, at_ns))
    return Receipt(event, ignored="no alias moved and no version came, so no application loads anything else")


def _alias_change(kind: _Registered, action: str, data: Json, delivery: Delivery, at_ns: int) -> Change:
    name, alias = required_name(data, "name", "data"), required_name(data, "alias", "data")
    is_removal = action == "deleted"
    version = None if is_removal else required_name(data, "version", "data")
    return Change(
        id=change_id(SOURCE, kind.entity, f"{name}@{alias}", version or "none", str(at_ns)),
        kind=kind.change,
        subject=str(_ref(kind, name, delivery)) if delivery.registry else name,
        effective_ns=at_ns,
        known_ns=delivery.now_ns,
        reported_ns=at_ns,
        to_version=version,
        summary=f"alias {alias} was removed" if is_removal else f"alias {alias} points to version {version}",
        source=SOURCE,
    )


def _registered_version(kind: _Registered, data: Json, delivery: Delivery, at_ns: int) -> GraphDelta:
    """The version and its entity, joined by ``base`` alone.

    A HAS_VERSION relation would say that the version is in use, and its first sight count as an unannounced change.
    """
    name, version = required_name(data, "name", "data"), required_name(data, "version", "data")
    base = _ref(kind, name, delivery)
    key, base_key = str(base.at("version", version)), str(base)
    if len(key) > MAX_REF_CHARS:
        raise InvalidQuery("data.name", f"{key[:80]}... would be a reference of more than {MAX_REF_CHARS} characters")
    known = {"run.id": short_text(data.get("run_id")), "logged_model.id": _logged_model(data)}
    attributes = tuple(Attribute(name, value, at_ns) for name, value in sorted(known.items()) if value)
    nodes = (
        Entity(base_key, kind.entity, base_key, at_ns, at_ns),
        Entity(key, VERSION_KINDS[kind.entity], base_key, at_ns, at_ns, attributes),
    )
    return GraphDelta(entities={node.key: node for node in nodes})


def _ref(kind: _Registered, name: str, delivery: Delivery) -> Ref:
    return make_ref(f"mlflow+{delivery.registry}" if delivery.registry else kind.namespace, name)


def _logged_model(data: Json) -> str | None:
    """Id under which spans of MLflow's own tracing name the model. Other places may hold credentials: not kept."""
    source = as_text(data.get("source")) or ""
    return short_text(source.removeprefix(_MODEL_SOURCE)) if source.startswith(_MODEL_SOURCE) else None
