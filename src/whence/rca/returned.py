"""Versions that came back: in use again where another one had taken their place, and nobody recorded it.

A first sight can't tell of them, because they were seen before. The requests can: one version of an entity leaves them
and an older one, absent until then, takes its share.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from whence.model.change import Change
from whence.model.environments import UNNAMED
from whence.model.kinds import EntityKind
from whence.model.times import NS_PER_SECOND
from whence.rca.case import Case
from whence.rca.columns import Floats, sum_by
from whence.rca.inferred import KIND_OF_CHANGE, MATCH_WINDOW_NS
from whence.rca.topology import Topology, version_text

ABSENT_REQUESTS = 20.0
"""Requests that met other versions before it came back; fewer, and it was merely not met."""
BACK_REQUESTS = 5.0
BACK_SHARE = 0.5
"""Of the entity's requests since: a version that is back took over, it didn't turn up now and then."""


def returned(case: Case, topology: Topology, kinds: Mapping[str, EntityKind]) -> tuple[Change, ...]:
    """A change for each version that came back unrecorded, by time. Cost: O(rows of requests)."""
    told = defaultdict(list)
    for change in case.changes:
        told[change.subject].append(change)
    found = [
        one
        for base, versions in _versions_met(case, topology).items()
        if kinds.get(base) in KIND_OF_CHANGE and base in topology.reach
        for one in _returns(base, versions, kinds[base], case)
        if not _is_told(one, (*told[base], *told[base.partition("#")[2]]))
    ]
    return tuple(sorted(found, key=lambda one: (one.effective_ns, one.subject)))


def _versions_met(case: Case, topology: Topology) -> dict[str, dict[str, Floats]]:
    """Requests that met each version in each bucket, by entity; those of which requests met several."""
    rows = case.exposures
    worth = rows.requests**2 / np.maximum(rows.requests_sq, 1e-9)
    if not len(rows):
        return {}
    starts, position = np.unique(rows.start_s, return_inverse=True)
    met: dict[str, dict[str, Floats]] = defaultdict(dict)
    for code, node in enumerate(rows.node.values):
        base = topology.base(node) if node else node
        if base != node:
            mine = rows.node.codes == code
            met[base][node] = sum_by(position[mine], worth[mine], len(starts))
    return {base: versions for base, versions in met.items() if len(versions) > 1}


def _returns(base: str, versions: Mapping[str, Floats], kind: EntityKind, case: Case) -> Iterator[Change]:
    starts = np.unique(case.exposures.start_s)
    known = {one.key.dst: one.first_seen_ns for one in case.versions if one.key.src == base}
    everything = np.sum(list(versions.values()), axis=0)
    for version, met in versions.items():
        first = int(np.argmax(met > 0))
        came_ns = int(starts[first]) * NS_PER_SECOND
        is_old = known.get(version, came_ns) < came_ns - MATCH_WINDOW_NS
        since = float(met[first:].sum())
        took_over = since >= max(BACK_REQUESTS, BACK_SHARE * float(everything[first:].sum()))
        if is_old and took_over and everything[:first].sum() >= ABSENT_REQUESTS:
            before = max(sorted(versions), key=lambda one: float(versions[one][:first].sum()))
            yield _change(base, version, before, kind, came_ns, case)


def _is_told(change: Change, told: Sequence[Change]) -> bool:
    """Whether a report of about that time is about that version, or doesn't say about which."""
    return any(
        abs(one.effective_ns - change.effective_ns) <= MATCH_WINDOW_NS
        and one.kind is change.kind
        and one.to_version in (None, change.to_version)
        for one in told
    )


def _change(base: str, version: str, before: str, kind: EntityKind, came_ns: int, case: Case) -> Change:
    environment = case.incident.environment or UNNAMED
    identity = "\n".join((base, version, environment, str(came_ns)))
    return Change(
        id=f"back-{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}",
        kind=KIND_OF_CHANGE[kind],
        subject=base,
        effective_ns=came_ns,
        known_ns=came_ns,
        reported_ns=came_ns,
        from_version=version_text(before),
        to_version=version_text(version),
        environment=environment,
        summary="a version that had been replaced is in use again",
        source="spans",
        recorded=False,
    )
