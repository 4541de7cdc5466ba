"""How long a refresh has been missing, in units of its own rhythm."""

from __future__ import annotations

import math

from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind, RelationType
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import clip, evidence, span
from whence.rca.scene import Scene
from whence.rca.staleness import OVERDUE_FACTOR, cadence_ns

CODE = "overdue"
HIGH_NATS = 1.5
_MINUTE_NS = 60_000_000_000


def overdue_by(candidate: Candidate, scene: Scene) -> Evidence | None:
    """Age over cadence at the onset; None for changes that did happen."""
    if candidate.change.kind is not ChangeKind.STALENESS:
        return None
    times = sorted(
        one.first_seen_ns
        for one in scene.case.versions
        if one.key.type is RelationType.HAS_VERSION and one.key.src in candidate.bases
    )
    cadence = cadence_ns(times)
    if cadence is None:
        return None
    age = scene.observed.onset.high_ns - times[-1]
    ratio = age / cadence
    weight = clip(math.log(max(ratio, OVERDUE_FACTOR) / OVERDUE_FACTOR), 0.0, HIGH_NATS)
    sentence = (
        f"The last version is {span(age / _MINUTE_NS)} old, {ratio:.1f} times the usual "
        f"{span(cadence / _MINUTE_NS)} between two."
    )
    return evidence(CODE, weight, sentence, {"age_s": age / 1e9, "cadence_s": cadence / 1e9, "ratio": ratio})
