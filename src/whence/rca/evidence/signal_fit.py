"""How well a kind of change fits the way in which it hurts: stale data don't throw, and a deploy ages nothing."""

from __future__ import annotations

from collections.abc import Mapping

from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind, Signal
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import evidence
from whence.rca.scene import Scene

CODE = "signal_fit"
FIT: Mapping[Signal, Mapping[ChangeKind, float]] = {
    Signal.FRESHNESS: {
        ChangeKind.STALENESS: 2.0,
        ChangeKind.DATASET: 0.3,
        ChangeKind.DEPLOYMENT: -0.5,
        ChangeKind.FLAG: -1.0,
        ChangeKind.MODEL: -1.0,
    },
    Signal.QUALITY: {
        ChangeKind.MODEL: 0.5,
        ChangeKind.DATASET: 0.5,
        ChangeKind.STALENESS: 0.5,
        ChangeKind.SCHEMA: 0.3,
        ChangeKind.INFRASTRUCTURE: -0.7,
    },
    Signal.ERRORS: {ChangeKind.STALENESS: -1.0, ChangeKind.SCHEMA: 0.3},
    Signal.LATENCY: {ChangeKind.STALENESS: -1.0, ChangeKind.SCHEMA: -0.3},
}
"""Nats by signal and kind; what is absent fits neither better nor worse."""


def signal_fit(candidate: Candidate, scene: Scene) -> Evidence | None:
    """The entry of the table; None where it has none, or where the signal is unknown."""
    if not scene.observed.found and scene.case.incident.symptom.signal is None:
        return None
    kind, signal = candidate.change.kind, scene.observed.signal
    weight = FIT.get(signal, {}).get(kind)
    if weight is None:
        return None
    often = "often" if weight > 0 else "rarely"
    return evidence(CODE, weight, f"A {kind.value} {often} shows as {signal.value}.", {"signal": signal.value})
