"""From facts to a scene and its candidates, for tests of single pieces of evidence."""

from __future__ import annotations

from collections.abc import Iterable

from whence.model.incident import Incident
from whence.rca.candidates import Candidate
from whence.rca.canonical import ordered
from whence.rca.scene import Scene, scene_of
from whence.rca.weights import DEFAULT_WEIGHTS
from whence.testing.cases import bucket, case_of
from whence.testing.graphs import Fact, at, delta


def scene(facts: Iterable[Fact], question: Incident, until: float | None = None) -> Scene:
    """The scene of a case; ``until`` is the bucket up to which the answer sees, the detection by default."""
    as_of_ns = None if until is None else at(bucket(until))
    return scene_of(ordered(case_of(delta(*facts), question, as_of_ns=as_of_ns)), DEFAULT_WEIGHTS)


def candidate(of: Scene, subject: str) -> Candidate:
    """The only candidate about an entity."""
    (found,) = (one for one in of.candidates if subject in one.bases)
    return found
