"""``Case``: everything that the ranking may see of one incident. What is not in it can't sway the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from whence.model.change import Change
from whence.model.delta import Relation
from whence.model.graph import Subgraph
from whence.model.incident import Incident
from whence.model.profile import SnapshotProfile
from whence.model.rows import EdgeRows, ExposureRows, OperationRows


@dataclass(frozen=True, slots=True)
class Case:
    """One incident with the pieces of the store that bear on it. The order of rows carries nothing."""

    incident: Incident
    as_of_ns: int
    """The present as the answer sees it; no row is later."""
    history_from_ns: int
    """Changes and versions before this instant were not looked for."""
    subgraph: Subgraph
    """Upstream closure of the symptom."""
    changes: tuple[Change, ...] = ()
    """Recorded changes whose subject is in the closure."""
    versions: tuple[Relation, ...] = ()
    """``HAS_VERSION`` over all time for the entities of the closure."""
    exposures: ExposureRows = field(default_factory=lambda: ExposureRows.of(()))
    """Requests into the symptom's service."""
    operations: OperationRows = field(default_factory=lambda: OperationRows.of(()))
    edges: EdgeRows = field(default_factory=lambda: EdgeRows.of(()))
    """Without the latency of calls, where there are requests into the symptom."""
    profiles: tuple[SnapshotProfile, ...] = ()
    bucket_s: int = 15
    truncated: bool = False
    """Whether a bound cut one of the reads off."""
