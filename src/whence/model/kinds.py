"""The closed vocabularies: what nodes, relations, layers, changes and signals there are.

Direction rule: every relation points from the dependent to its dependency, so *upstream* is always outgoing and the
blast radius always incoming.
"""

from __future__ import annotations

from enum import StrEnum


class EntityKind(StrEnum):
    """What a node is. A version node has the kind of its entity plus ``Version`` (see ``version_kind``)."""

    SERVICE = "service"
    SERVICE_VERSION = "service_version"
    MODEL = "model"
    MODEL_VERSION = "model_version"
    DATASET = "dataset"
    DATASET_VERSION = "dataset_version"
    JOB = "job"
    RUN = "run"
    PROMPT = "prompt"
    PROMPT_VERSION = "prompt_version"
    FLAG = "flag"
    FLAG_VERSION = "flag_version"
    EXTERNAL = "external"
    OWNER = "owner"


VERSION_KINDS = {
    EntityKind.SERVICE: EntityKind.SERVICE_VERSION,
    EntityKind.MODEL: EntityKind.MODEL_VERSION,
    EntityKind.DATASET: EntityKind.DATASET_VERSION,
    EntityKind.JOB: EntityKind.RUN,
    EntityKind.PROMPT: EntityKind.PROMPT_VERSION,
    EntityKind.FLAG: EntityKind.FLAG_VERSION,
}
"""Kind of a version node, by the kind of its entity; kinds that are absent have no versions."""

KIND_STRENGTH = {
    EntityKind.EXTERNAL: 0,
    EntityKind.DATASET: 1,
    EntityKind.DATASET_VERSION: 1,
}
"""How sure a sighting is of the kind; absent means 2. A dataset that is served turns out to be a model."""


class RelationType(StrEnum):
    """What the dependent does with the dependency; the value is also the Neo4j relationship type."""

    CALLS = "CALLS"
    READS = "READS"
    USES_MODEL = "USES_MODEL"
    USES_PROMPT = "USES_PROMPT"
    EVALUATES = "EVALUATES"
    CONSUMES = "CONSUMES"
    HAS_VERSION = "HAS_VERSION"
    PRODUCED_BY = "PRODUCED_BY"
    DERIVED_FROM = "DERIVED_FROM"
    TRAINED_ON = "TRAINED_ON"

    @property
    def is_lasting(self) -> bool:
        """Whether it stays causal after it happened (derivation), instead of only while it is seen (runtime)."""
        return self in _LASTING


_LASTING = frozenset({RelationType.PRODUCED_BY, RelationType.DERIVED_FROM, RelationType.TRAINED_ON})

FOREVER_NS = 2**62
"""``active_until_ns`` of a lasting relation."""


class Layer(StrEnum):
    """How we know of a relation; layers never overwrite each other."""

    OBSERVED = "observed"
    DECLARED = "declared"
    ALLOWED = "allowed"
    INFERRED = "inferred"


class ChangeKind(StrEnum):
    """What was changed."""

    DEPLOYMENT = "deployment"
    MODEL = "model"
    DATASET = "dataset"
    SCHEMA = "schema"
    CONFIG = "config"
    FLAG = "flag"
    INFRASTRUCTURE = "infrastructure"
    OTHER = "other"
    STALENESS = "staleness"


RECORDABLE_KINDS = frozenset(ChangeKind) - {ChangeKind.STALENESS}
"""Kinds that a person or a webhook may record; staleness is what did *not* happen and only we synthesise it."""


class Signal(StrEnum):
    """How the symptom shows."""

    ERRORS = "errors"
    LATENCY = "latency"
    QUALITY = "quality"
    FRESHNESS = "freshness"
    VOLUME = "volume"
