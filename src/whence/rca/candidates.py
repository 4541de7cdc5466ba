"""What may have caused it: recorded changes, versions that appeared unannounced, and refreshes that never came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from whence.model.change import Change
from whence.model.delta import Entity
from whence.model.kinds import VERSION_KINDS, EntityKind
from whence.rca.case import Case
from whence.rca.inferred import MATCH_WINDOW_NS, Sighting, inferred_change, match, sightings, version_labels
from whence.rca.staleness import overdue
from whence.rca.topology import Topology, names_of, version_text

_ENTITY_OF_VERSION = {version: entity for entity, version in VERSION_KINDS.items()}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One change with its place in the graph."""

    change: Change
    bases: tuple[str, ...]
    """Entities that were changed; more than one only when a bare name fits several."""
    version: str | None
    """Key of the version that the change brought, when spans showed it."""
    carriers: tuple[str, ...]
    """Services in whose telemetry it would show."""
    strength: float
    """Of the best path from the symptom; 0 when there is none."""
    path: tuple[str, ...]
    acts_ns: int
    """When it could first be felt: first sight or first consumption, else the time it was reported for."""
    consumed: bool
    """False when versions of its entity are consumed, but not (yet) this one."""
    new_nodes: frozenset[str]
    """What a request touches when it meets the new version."""
    old_nodes: frozenset[str]
    owner: str | None


@dataclass(frozen=True, slots=True)
class _Context:
    """What is known of versions, looked up by every candidate."""

    topology: Topology
    versions: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, EntityKind]
    entities: Mapping[str, Entity]


def gather(case: Case, topology: Topology, onset_high_ns: int) -> tuple[Candidate, ...]:
    """Every candidate of a case, in no particular order.

    Args:
        case: The incident.
        topology: Its closure.
        onset_high_ns: Refreshes that became overdue later are no candidates.
    """
    kinds = entity_kinds(case, topology)
    context = _Context(topology, _versions_by_base(case), kinds, case.subgraph.entities)
    seen = sightings(case.versions, case.incident.environment)
    subjects = subjects_of(case.changes, topology.bases())
    matched = match(case.changes, subjects, seen, case.subgraph.entities)
    found = [
        _candidate(change, subjects[change.id], matched.get(change.id), context)
        for change in case.changes
        if subjects[change.id]
    ]
    found += [_candidate(change, (change.subject,), one, context) for change, one in unannounced(case, topology)]
    stale = overdue(case.versions, kinds, case.history_from_ns, onset_high_ns)
    found += [
        _candidate(change, (change.subject,), None, context) for change in stale if change.subject in topology.reach
    ]
    return tuple(found)


def unannounced(case: Case, topology: Topology) -> tuple[tuple[Change, Sighting], ...]:
    """Versions that appeared in the time looked at and that no recorded change explains, as changes."""
    seen = sightings(case.versions, case.incident.environment)
    subjects = subjects_of(case.changes, topology.bases())
    explained = set(match(case.changes, subjects, seen, case.subgraph.entities).values())
    kinds = entity_kinds(case, topology)
    found = []
    for one in seen:
        if one in explained or not case.history_from_ns <= one.first_seen_ns < case.as_of_ns:
            continue
        change = inferred_change(one, kinds[one.base]) if one.base in kinds else None
        if change is not None and one.base in topology.reach:
            found.append((change, one))
    return tuple(found)


def subjects_of(changes: Sequence[Change], bases: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Entities of the closure that each change is about, by change id; by key, or by the bare name that was given."""
    known, by_name = frozenset(bases), names_of(bases)
    return {change.id: _subject(change.subject, known, by_name) for change in changes}


def _subject(subject: str, known: frozenset[str], by_name: Mapping[str, list[str]]) -> tuple[str, ...]:
    if subject in known:
        return (subject,)
    if "#" in subject:
        base = subject.partition("@")[0] if "@" in subject.partition("#")[2] else subject
        return (base,) if base in known else ()
    return tuple(by_name.get(subject, ()))


def entity_kinds(case: Case, topology: Topology) -> dict[str, EntityKind]:
    """Kind of every entity of the closure, also of those that are known by their versions only."""
    kinds: dict[str, EntityKind] = {}
    for entity in case.subgraph.entities.values():
        kind = _ENTITY_OF_VERSION.get(entity.kind, entity.kind)
        kinds[topology.base(entity.key)] = kind
    return kinds


def _versions_by_base(case: Case) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for relation in case.versions:
        found[relation.key.src].add(relation.key.dst)
    return {base: tuple(sorted(versions)) for base, versions in found.items()}


def _candidate(change: Change, bases: tuple[str, ...], sighting: Sighting | None, context: _Context) -> Candidate:
    topology = context.topology
    version = sighting.version if sighting is not None else _known_version(change, bases, context)
    nearest = max(bases, key=lambda base: topology.reach[base].strength)
    siblings = [one for base in bases for one in context.versions.get(base, ()) if one != version]
    new_nodes = topology.touched_through(version) if version is not None else frozenset()
    old_nodes = frozenset(node for one in siblings for node in topology.touched_through(one)) - new_nodes
    reach = topology.reach[nearest]
    return Candidate(
        change=_with_versions(change, sighting),
        bases=bases,
        version=version,
        carriers=tuple(sorted({one for base in bases for one in topology.carriers(base)})),
        strength=reach.strength,
        path=reach.path if version is None else (*reach.path[:-1], version),
        acts_ns=_acts_ns(change, version, sighting, topology),
        consumed=_consumed(version, bases, siblings, context),
        new_nodes=new_nodes,
        old_nodes=old_nodes,
        owner=next((found for base in bases if (found := _owner(base, context))), None),
    )


def _owner(base: str, context: _Context) -> str | None:
    entity = context.entities.get(base)
    return entity.attribute("owner") if entity is not None else None


def _known_version(change: Change, bases: tuple[str, ...], context: _Context) -> str | None:
    """The node of a version that was reported, though it was not first seen then (a roll-back, the first version)."""
    if change.to_version is None:
        return None
    fitting = [
        one
        for base in bases
        for one in context.versions.get(base, ())
        if change.to_version in version_labels(one, None)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _acts_ns(change: Change, version: str | None, sighting: Sighting | None, topology: Topology) -> int:
    effective = change.effective_ns
    if sighting is not None and sighting.first_seen_ns >= effective - MATCH_WINDOW_NS:
        effective = sighting.first_seen_ns
    consumed = topology.consumed_since(version) if version is not None else None
    return effective if consumed is None else max(effective, consumed)


def _consumed(version: str | None, bases: tuple[str, ...], siblings: Sequence[str], context: _Context) -> bool:
    topology = context.topology
    if version is None or any(context.kinds.get(base) is EntityKind.SERVICE for base in bases):
        return True
    return bool(topology.consumers(version)) or not any(topology.consumers(one) for one in siblings)


def _with_versions(change: Change, sighting: Sighting | None) -> Change:
    """The recorded change with the versions that its report left out."""
    if sighting is None:
        return change
    return replace(
        change,
        from_version=change.from_version or version_text(sighting.previous),
        to_version=change.to_version or version_text(sighting.version),
    )
