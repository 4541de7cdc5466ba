"""Domain objects to JSON. Other people's clients are written against these shapes: fields are added, never changed.

Times are RFC 3339 in UTC with ``Z``. Probabilities are numbers from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from typing_extensions import TypedDict

from whence.model.answer import Answer, Completeness, Evidence, RuledOut, Suspect
from whence.model.change import Change
from whence.model.delta import Entity, Relation
from whence.model.kinds import FOREVER_NS
from whence.model.times import format_time

ItemT = TypeVar("ItemT")

ChangeJson = TypedDict(
    "ChangeJson",
    {
        "id": str,
        "kind": str,
        "subject": str,
        "from": str | None,
        "to": str | None,
        "environment": str | None,
        "effective_at": str,
        "finished_at": str | None,
        "actor": str | None,
        "url": str | None,
        "summary": str | None,
        "source": str,
        "recorded": bool,
        "known_at": str,
    },
)


class EntityJson(TypedDict):
    """A node of the graph. ``base`` is the entity of a version, and its own key for an entity."""

    key: str
    kind: str
    base: str
    owner: str | None
    first_seen_at: str
    last_seen_at: str
    attributes: dict[str, str]


class RelationJson(TypedDict):
    """A relation; ``dependent`` needs ``dependency``. ``active_until`` is null while no end is known."""

    dependent: str
    type: str
    dependency: str
    environment: str | None
    layer: str
    first_seen_at: str
    last_seen_at: str
    active_until: str | None


class OnsetJson(TypedDict):
    """When it began, with its interval."""

    at: str
    low: str
    high: str


class SymptomJson(TypedDict):
    """What hurt."""

    entity: str
    operation: str | None
    signal: str | None


class EvidenceJson(TypedDict):
    """One fact for or against a suspect; ``weight`` in nats."""

    code: str
    direction: str
    weight: float
    sentence: str
    data: Mapping[str, object]


SuspectJson = TypedDict(
    "SuspectJson",
    {
        "rank": int,
        "probability": float,
        "band": str,
        "role": str,
        "change": ChangeJson,
        "path": list[str],
        "evidence": list[EvidenceJson],
        "settle": str,
        "owner": str | None,
        "links": list[str],
        "with": list[str],
    },
)


class NoneJson(TypedDict):
    """The row "no recorded change explains this"."""

    probability: float
    reasons: list[str]


class RuledOutJson(TypedDict):
    """A change that was considered and put aside."""

    change: ChangeJson
    reason: str
    sentence: str


class CompletenessJson(TypedDict):
    """What the answer could see; shares from 0 to 1."""

    versions: float
    changes: float
    sampling: float
    gaps: list[str]


class ModelJson(TypedDict):
    """What a re-run needs to give the same answer."""

    weights_version: str
    inputs_hash: str


class AnswerJson(TypedDict):
    """A whole answer."""

    id: str
    as_of: str
    symptom: SymptomJson
    environment: str | None
    verdict: str
    headline: str
    onset: OnsetJson
    suspects: list[SuspectJson]
    none: NoneJson
    ruled_out: list[RuledOutJson]
    completeness: CompletenessJson
    model: ModelJson
    truncated: bool


def change_json(change: Change) -> ChangeJson:
    """A change as it was posted, with what we added."""
    return {
        "id": change.id,
        "kind": change.kind.value,
        "subject": change.subject,
        "from": change.from_version,
        "to": change.to_version,
        "environment": change.environment or None,
        "effective_at": format_time(change.effective_ns),
        "finished_at": None if change.finished_ns is None else format_time(change.finished_ns),
        "actor": change.actor,
        "url": change.url,
        "summary": change.summary,
        "source": change.source,
        "recorded": change.recorded,
        "known_at": format_time(change.known_ns),
    }


def entity_json(entity: Entity) -> EntityJson:
    """A node."""
    return {
        "key": entity.key,
        "kind": entity.kind.value,
        "base": entity.base,
        "owner": entity.attribute("owner"),
        "first_seen_at": format_time(entity.first_seen_ns),
        "last_seen_at": format_time(entity.last_seen_ns),
        "attributes": {item.name: item.value for item in entity.attributes},
    }


def relation_json(relation: Relation) -> RelationJson:
    """A relation."""
    key = relation.key
    return {
        "dependent": key.src,
        "type": key.type.value,
        "dependency": key.dst,
        "environment": key.environment or None,
        "layer": key.layer.value,
        "first_seen_at": format_time(relation.first_seen_ns),
        "last_seen_at": format_time(relation.last_seen_ns),
        "active_until": None if relation.active_until_ns >= FOREVER_NS else format_time(relation.active_until_ns),
    }


def answer_json(answer: Answer, answer_id: str) -> AnswerJson:
    """A whole answer under its id."""
    onset = answer.onset
    return {
        "id": answer_id,
        "as_of": format_time(answer.as_of_ns),
        "symptom": {
            "entity": answer.symptom.entity,
            "operation": answer.symptom.operation,
            "signal": answer.symptom.signal.value if answer.symptom.signal else None,
        },
        "environment": answer.environment or None,
        "verdict": answer.verdict.value,
        "headline": answer.headline,
        "onset": {
            "at": format_time(onset.at_ns),
            "low": format_time(onset.low_ns),
            "high": format_time(onset.high_ns),
        },
        "suspects": [_suspect_json(suspect) for suspect in answer.suspects],
        "none": {"probability": answer.none.probability, "reasons": list(answer.none.reasons)},
        "ruled_out": [_ruled_out_json(one) for one in answer.ruled_out],
        "completeness": _completeness_json(answer.completeness),
        "model": {"weights_version": answer.weights_version, "inputs_hash": answer.inputs_hash},
        "truncated": answer.truncated,
    }


def _suspect_json(suspect: Suspect) -> SuspectJson:
    return {
        "rank": suspect.rank,
        "probability": suspect.probability,
        "band": suspect.band.value,
        "role": suspect.role.value,
        "change": change_json(suspect.change),
        "path": list(suspect.path),
        "evidence": [_evidence_json(one) for one in suspect.evidence],
        "settle": suspect.settle,
        "owner": suspect.owner,
        "links": list(suspect.links),
        "with": list(suspect.with_changes),
    }


def _evidence_json(evidence: Evidence) -> EvidenceJson:
    return {
        "code": evidence.code,
        "direction": evidence.direction,
        "weight": evidence.weight,
        "sentence": evidence.sentence,
        "data": evidence.data,
    }


def _ruled_out_json(one: RuledOut) -> RuledOutJson:
    return {"change": change_json(one.change), "reason": one.reason, "sentence": one.sentence}


def _completeness_json(completeness: Completeness) -> CompletenessJson:
    return {
        "versions": completeness.versions,
        "changes": completeness.changes,
        "sampling": completeness.sampling,
        "gaps": list(completeness.gaps),
    }
