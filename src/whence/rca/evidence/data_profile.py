"""What a new snapshot looks like beside the ones before it: rows, size, schema, and each column's nulls and values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind
from whence.model.profile import ColumnProfile, SnapshotProfile
from whence.model.times import NS_PER_SECOND
from whence.rca.candidates import Candidate
from whence.rca.evidence.common import evidence, percent
from whence.rca.scene import Scene
from whence.rca.topology import version_text

CODE = "data_profile"
ODD_NATS, QUIET_NATS = 2.8, -1.0
ODD_ONCE_NATS = 1.5
"""For an oddity against too few earlier snapshots to know what is usual."""
MAX_EARLIER = 20
MIN_EARLIER = 3
LIMIT_Z = 4.0
LARGEST_Z = 1000.0
FAR_OUT_Z, FAR_OUT_NATS = 30.0, 1.2
NEAR_NS = 30 * 60 * NS_PER_SECOND
_DATA = frozenset({ChangeKind.DATASET, ChangeKind.SCHEMA})


@dataclass(frozen=True, slots=True)
class Oddity:
    """One figure that is far from what it was before."""

    what: str
    before: float
    now: float
    z: float


def data_profile(candidate: Candidate, scene: Scene) -> Evidence | None:
    """How odd the snapshot is; None for other kinds of change, and where it or its forerunners have no profile."""
    if candidate.change.kind not in _DATA:
        return None
    profiles = sorted(
        (one for one in scene.case.profiles if one.dataset in candidate.bases), key=lambda one: (one.at_ns, one.version)
    )
    current = _profile_of(candidate, profiles)
    earlier = [one for one in profiles if current is not None and one.at_ns < current.at_ns][-MAX_EARLIER:]
    if current is None or not earlier:
        return None
    oddities = sorted(_oddities(current, earlier), key=lambda one: (-one.z, one.what))
    if not oddities:
        sentence = f"The snapshot looks like the {len(earlier)} before it: rows, schema, nulls and means are as usual."
        return evidence(CODE, QUIET_NATS, sentence, {"earlier": len(earlier)})
    weight = (ODD_NATS if len(earlier) >= MIN_EARLIER else ODD_ONCE_NATS) + _size_nats(oddities[0].z)
    found = [{"what": one.what, "before": one.before, "now": one.now, "z": round(one.z, 2)} for one in oddities[:5]]
    return evidence(CODE, weight, _sentence(oddities[0]), {"earlier": len(earlier), "odd": found})


def _size_nats(z: float) -> float:
    """What an oddity gains by its size: of those that are far out few are harmless."""
    return min(FAR_OUT_NATS, FAR_OUT_NATS * math.log(z / LIMIT_Z) / math.log(FAR_OUT_Z / LIMIT_Z))


def _profile_of(candidate: Candidate, profiles: Sequence[SnapshotProfile]) -> SnapshotProfile | None:
    """The profile of the version that the change brought; else the one taken when the change was."""
    names = {candidate.version, candidate.change.to_version}
    for one in reversed(profiles):
        if one.version in names or version_text(one.version) in names:
            return one
    near = [one for one in profiles if abs(one.at_ns - candidate.change.effective_ns) <= NEAR_NS]
    return min(near, key=lambda one: abs(one.at_ns - candidate.change.effective_ns), default=None)


def _oddities(current: SnapshotProfile, earlier: Sequence[SnapshotProfile]) -> Iterator[Oddity]:
    last_schema = next((one.schema_hash for one in reversed(earlier) if one.schema_hash), None)
    if current.schema_hash and last_schema and current.schema_hash != last_schema:
        yield Oddity("schema", 0.0, 1.0, LIMIT_Z)
    yield from _odd("rows", current.rows, [one.rows for one in earlier], relative=0.05)
    yield from _odd("bytes", current.bytes, [one.bytes for one in earlier], relative=0.1)
    for column in current.columns:
        past = [old for one in earlier for old in one.columns if old.name == column.name]
        for name, read, relative, floor in _COLUMN_FIGURES:
            past_figures = [read(old) for old in past]
            yield from _odd(f"{name} of {column.name}", read(column), past_figures, relative=relative, floor=floor)


_COLUMN_FIGURES: tuple[tuple[str, Callable[[ColumnProfile], float | None], float, float], ...] = (
    ("null rate", lambda column: column.null_rate, 0.1, 0.01),
    ("distinct values", lambda column: column.distinct, 0.1, 0.5),
    ("mean", lambda column: column.mean, 0.05, 1e-9),
)
"""Figure of a column, how to read it, and the least spread that counts as ordinary: relative and absolute."""


def _odd(
    what: str, now: float | None, past: Sequence[float | None], *, relative: float, floor: float = 1e-9
) -> Iterator[Oddity]:
    known = [one for one in past if one is not None]
    if now is None or not known:
        return
    middle = median(known)
    spread = max(1.4826 * median([abs(one - middle) for one in known]), relative * abs(middle), floor)
    z = abs(now - middle) / spread
    if z > LIMIT_Z:
        yield Oddity(what, middle, now, min(z, LARGEST_Z))


def _sentence(oddity: Oddity) -> str:
    if oddity.what == "schema":
        return "The snapshot has another schema than the one before it."
    if oddity.what.startswith("null rate"):
        return f"The {oddity.what} went from {percent(oddity.before)} to {percent(oddity.now)} in this snapshot."
    return f"The {oddity.what} went from {oddity.before:.4g} to {oddity.now:.4g} in this snapshot."
