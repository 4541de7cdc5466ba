"""Has this happened before? Answers are alike where they point to the same things in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from typing_extensions import TypedDict

LEAST = 0.2
"""Answers that share less are not alike."""
SAME_TROUBLE_S = 3_600
"""Answers about the same thing whose trouble began so close together are about one incident, asked again."""
_FAINT = 0.05


class FingerprintJson(TypedDict):
    """What an answer amounts to: features and how much each counts."""

    id: str
    at: str
    """When it was given."""
    onset: str
    entity: str
    headline: str
    features: dict[str, float]


class Likeness(NamedTuple):
    """An earlier answer, how alike it is from 0 to 1, and what both have, the weightiest first."""

    of: FingerprintJson
    share: float
    features: tuple[str, ...]


def fingerprint(answer: Mapping[str, Any], at: str) -> FingerprintJson:
    """Of an answer: what hurts and how, what it leads through, and what kind of change it points to, or to none."""
    symptom = answer["symptom"]
    weights: dict[str, float] = {f"{symptom['entity']} hurts": 1.0, f"it shows in {symptom['signal']}": 0.5}
    for suspect in answer["suspects"]:
        change, probability = suspect["change"], suspect["probability"]
        _raise(weights, f"{change['kind']} of {_base(change['subject'])}", 2 * probability)
        for key in suspect["path"][1:-1]:
            _raise(weights, f"it comes through {_base(key)}", probability)
    _raise(weights, "no recorded change explains it", 2 * answer["none"]["probability"])
    return {
        "id": answer["id"],
        "at": at,
        "onset": answer["onset"]["at"],
        "entity": symptom["entity"],
        "headline": answer["headline"],
        "features": {name: round(weight, 4) for name, weight in weights.items() if weight >= _FAINT},
    }


def most_alike(one: FingerprintJson, others: Iterable[FingerprintJson], limit: int) -> list[Likeness]:
    """Earlier and later answers that are alike, the most alike first; of each incident the answer given last."""
    latest: dict[tuple[str, int], FingerprintJson] = {}
    for other in sorted(others, key=lambda other: (_seconds(other["at"]), other["id"])):
        if not _is_same_trouble(one, other):
            latest[other["entity"], int(_seconds(other["onset"]) // SAME_TROUBLE_S)] = other
    found = [_likeness(one, other) for other in latest.values()]
    alike = sorted((item for item in found if item.share >= LEAST), key=lambda item: (-item.share, item.of["id"]))
    return alike[:limit]


def _likeness(one: FingerprintJson, other: FingerprintJson) -> Likeness:
    """The weight that both have of the weight that either has."""
    left, right = one["features"], other["features"]
    shared = {name: min(left[name], right[name]) for name in left.keys() & right.keys()}
    either = sum(max(left.get(name, 0.0), right.get(name, 0.0)) for name in left.keys() | right.keys())
    share = sum(shared.values()) / either if either else 0.0
    return Likeness(other, share, tuple(sorted(shared, key=lambda name: (-shared[name], name))))


def _is_same_trouble(one: FingerprintJson, other: FingerprintJson) -> bool:
    apart_s = abs(_seconds(one["onset"]) - _seconds(other["onset"]))
    return one["id"] == other["id"] or (one["entity"] == other["entity"] and apart_s < SAME_TROUBLE_S)


def _raise(weights: dict[str, float], name: str, weight: float) -> None:
    weights[name] = max(weights.get(name, 0.0), weight)


def _base(key: str) -> str:
    head, separator, tail = key.partition("#")
    return f"{head}{separator}{tail.partition('@')[0]}"


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
