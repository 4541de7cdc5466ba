"""The explaining graph at a few moments: before anything changed, at the change, when it began, when it was noticed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from typing_extensions import TypedDict

from whence.exhibits.explaining import ExplainingJson
from whence.model.answer import Answer
from whence.model.delta import Relation
from whence.model.environments import bears_on
from whence.model.kinds import RelationType
from whence.model.times import NS_PER_SECOND, format_time
from whence.rca.case import Case
from whence.rca.topology import Topology

BEFORE_NS = 300 * NS_PER_SECOND
AFTER_NS = 60 * NS_PER_SECOND
"""A change is looked at so long after it took effect, or half-way to when it was noticed."""
IN_USE_BUCKETS = 2
"""A version counts as in use for so many buckets after it was last seen."""


class StepJson(TypedDict):
    """One moment: versions in use of each entity, and relations (dependent, dependency) that had been seen by then."""

    name: str
    """before, change, onset or noticed."""
    at: str
    versions: dict[str, list[str]]
    edges: list[tuple[str, str]]


def steps_of(case: Case, topology: Topology, answer: Answer, graph: ExplainingJson) -> list[StepJson]:
    """The moments in their order; those that fall together are one."""
    keys = frozenset(node["key"] for node in graph["nodes"])
    history = _versions(case, keys)
    first_seen = _first_seen(case, topology)
    still_ns = IN_USE_BUCKETS * case.bucket_s * NS_PER_SECOND
    known_ns = sorted(first_seen.values())[len(first_seen) // 2] if first_seen else case.as_of_ns
    edges = [(one["dependent"], one["dependency"]) for one in graph["edges"]]
    return [
        {
            "name": name,
            "at": format_time(at_ns),
            "versions": {key: _in_use(history[key], at_ns, still_ns) for key in sorted(history)},
            "edges": [one for one in edges if first_seen[one] <= at_ns],
        }
        for name, at_ns in _moments(case, answer, known_ns)
    ]


def _moments(case: Case, answer: Answer, known_ns: int) -> Iterator[tuple[str, int]]:
    """By time; ``known_ns`` is when half of the graph had been seen, and a young one has its "before" after that."""
    changed_ns = answer.suspects[0].change.effective_ns if answer.suspects else None
    onset_ns, noticed_ns = answer.onset.at_ns, case.incident.detected_ns
    earliest_ns = min(one for one in (changed_ns, answer.onset.low_ns) if one is not None)
    before_ns = max(earliest_ns - BEFORE_NS, (min(known_ns, earliest_ns) + earliest_ns) // 2)
    moments = [("before", min(before_ns, earliest_ns - 1)), ("onset", onset_ns), ("noticed", noticed_ns)]
    if changed_ns is not None:
        moments.append(("change", max(changed_ns, min(changed_ns + AFTER_NS, (changed_ns + noticed_ns) // 2))))
    last_ns = None
    for name, at_ns in sorted(moments, key=lambda one: one[1]):
        if last_ns is None or at_ns > last_ns:
            yield name, at_ns
        last_ns = at_ns


def _versions(case: Case, keys: frozenset[str]) -> dict[str, list[Relation]]:
    """Sightings of versions by entity."""
    found: dict[str, list[Relation]] = defaultdict(list)
    for relation in case.versions:
        if relation.key.src in keys and bears_on(relation.key.environment, case.incident.environment):
            found[relation.key.src].append(relation)
    return found


def _in_use(sightings: Iterable[Relation], at_ns: int, still_ns: int) -> list[str]:
    """Texts of the versions seen around a moment; where none was, the one that came last before it."""
    known = [one for one in sightings if one.first_seen_ns <= at_ns]
    around = {one.key.dst for one in known if one.last_seen_ns >= at_ns - still_ns}
    latest = max(known, key=lambda one: (one.first_seen_ns, one.key.dst), default=None)
    chosen = around or ({latest.key.dst} if latest is not None else set())
    return sorted(key.rpartition("@")[2].partition(":")[2] for key in chosen)


def _first_seen(case: Case, topology: Topology) -> dict[tuple[str, str], int]:
    """When each relation between entities was first seen, all their versions taken together."""
    first: dict[tuple[str, str], int] = {}
    for relation in case.subgraph.relations:
        if relation.key.type is not RelationType.HAS_VERSION:
            ends = topology.base(relation.key.src), topology.base(relation.key.dst)
            first[ends] = min(first.get(ends, relation.first_seen_ns), relation.first_seen_ns)
    return first
