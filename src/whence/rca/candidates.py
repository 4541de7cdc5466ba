"""What may have caused it: recorded changes, versions that came unannounced or came back, and refreshes that didn't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from whence.model.change import Change
from whence.model.delta import Entity
from whence.model.kinds import VERSION_KINDS, EntityKind
from whence.model.times import NS_PER_SECOND
from whence.rca.case import Case
from whence.rca.histories import Histories, Nodes
from whence.rca.inferred import MATCH_WINDOW_NS, Sighting, inferred_change, match, sightings, version_labels
from whence.rca.returned import returned
from whence.rca.staleness import overdue
from whence.rca.topology import Topology, names_of, version_text

SIGHTED_LEAD_MINUTES = 5.0
"""Where telemetry shows when a change came into use, whatever delayed it until then is over."""
REPORT_SLACK_NS = 30 * NS_PER_SECOND
DIRECT_SOURCE = "api"
"""``Change.source`` of what somebody posted as a change."""
NS_PER_MINUTE = 60 * NS_PER_SECOND
_ENTITY_OF_VERSION = {version: entity for entity, version in VERSION_KINDS.items()}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One change with its place in the graph."""

    change: Change
    bases: tuple[str, ...]
    """Entities that were changed; more than one only when a bare name fits several."""
    version: str | None
    """Key of the version that the change brought, when telemetry knows it."""
    carriers: tuple[str, ...]
    """Services in whose telemetry it would show."""
    strength: float
    """Of the best path from the symptom; 0 when there is none."""
    path: tuple[str, ...]
    acts_ns: int
    """When it could first be felt: first sight or first consumption, else the time it was reported for."""
    lead_minutes: float | None
    """Longest median time from that moment to the onset, where more is known of it than the kind tells."""
    slack_ns: int
    """How far off that moment may be: first sights are exact, but people report a roll-out when it is over."""
    is_sighted: bool
    """Whether telemetry shows that moment."""
    is_consumed: bool
    """False when versions of its entity are consumed, but not this one."""
    new_nodes: frozenset[str]
    """What a request touches when it meets the change."""
    old_nodes: frozenset[str]
    also_reported: tuple[str, ...] = ()
    """Ids of other reports of the same change."""


@dataclass(frozen=True, slots=True)
class _Context:
    """What every candidate is looked up in."""

    topology: Topology
    histories: Histories
    kinds: Mapping[str, EntityKind]
    entities: Mapping[str, Entity]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Versions that appeared, against the changes that were recorded."""

    kinds: Mapping[str, EntityKind]
    """Of every entity of the closure, also of those that are known by their versions only."""
    subjects: Mapping[str, tuple[str, ...]]
    """Entities of the closure that each recorded change is about, by change id."""
    matched: Mapping[str, Sighting]
    """First sight of what a recorded change brought, by change id."""
    silent: tuple[tuple[Change, Sighting], ...]
    """Versions that appeared in the time looked at and that no recorded change explains, as changes."""


def arrivals(case: Case, topology: Topology) -> Arrivals:
    """Match what appeared with what was recorded. Cost: O(versions + changes x versions of their subject)."""
    kinds = entity_kinds(case, topology)
    subjects = subjects_of(case.changes, topology.bases())
    seen = sightings(case.versions, case.incident.environment)
    matched = match(case.changes, subjects, seen, case.subgraph.entities)
    explained = set(matched.values())
    silent = []
    for one in seen:
        if one in explained or not case.history_from_ns <= one.first_seen_ns < case.as_of_ns:
            continue
        change = inferred_change(one, kinds[one.base]) if one.base in kinds else None
        if change is not None and one.base in topology.reach:
            silent.append((change, one))
    return Arrivals(kinds, subjects, matched, tuple(silent))


def gather(case: Case, topology: Topology, arrived: Arrivals, onset_high_ns: int) -> tuple[Candidate, ...]:
    """Every candidate of a case, in no particular order; reports of one change are one candidate.

    Args:
        case: The incident.
        topology: Its closure.
        arrived: Versions that appeared there.
        onset_high_ns: Refreshes that became overdue later are no candidates.
    """
    histories = Histories(case.versions, case.incident.environment)
    context = _Context(topology, histories, arrived.kinds, case.subgraph.entities)
    recorded = [
        _candidate(change, arrived.subjects[change.id], arrived.matched.get(change.id), context)
        for change in case.changes
        if arrived.subjects[change.id]
    ]
    inferred = [_candidate(change, (change.subject,), one, context) for change, one in arrived.silent]
    stale = [
        replace(_candidate(change, (change.subject,), None, context), lead_minutes=cadence / NS_PER_MINUTE)
        for change, cadence in overdue(case.versions, arrived.kinds, case.history_from_ns, onset_high_ns)
        if change.subject in topology.reach
    ]
    back = [
        replace(_candidate(change, (change.subject,), None, context), acts_ns=change.effective_ns)
        for change in returned(case, topology, arrived.kinds)
    ]
    return (*_without_repeats(recorded), *inferred, *back, *stale)


def _without_repeats(recorded: Sequence[Candidate]) -> list[Candidate]:
    """One candidate for all lineage events, webhooks and posts that say the same of one version.

    A version is told again whenever it is promoted, used as an input or rolled out further; that is no other change,
    unless another version came in between. What was posted by hand or by a deployment tool speaks for them, and they
    confirm it.
    """
    groups: list[list[Candidate]] = []
    latest: dict[tuple[str, ...], list[Candidate]] = {}
    of_version: dict[tuple[tuple[str, ...], str], list[Candidate]] = {}
    for one in sorted(recorded, key=lambda candidate: candidate.change.effective_ns):
        what = one.version or one.change.to_version
        if what is None:
            groups.append([one])
            continue
        group = of_version.get((one.bases, what))
        if group is None or (group is not latest[one.bases] and _since(group, one) > MATCH_WINDOW_NS):
            groups.append(group := [])
        group.append(one)
        latest[one.bases] = of_version[one.bases, what] = group
    return [one for group in groups for one in _speakers(group)]


def _since(group: Sequence[Candidate], one: Candidate) -> int:
    return one.change.effective_ns - group[-1].change.effective_ns


def _speakers(group: Sequence[Candidate]) -> list[Candidate]:
    """Everything that somebody posted, for two posts are two changes until a person says otherwise; else the first."""
    ranked = sorted(group, key=lambda one: (one.change.source != DIRECT_SOURCE, one.change.effective_ns, one.change.id))
    posted = [one for one in ranked if one.change.source == DIRECT_SOURCE] or ranked[:1]
    confirming = tuple(sorted(one.change.id for one in ranked[len(posted) :]))
    return [replace(posted[0], also_reported=confirming), *posted[1:]]


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


def _candidate(change: Change, bases: tuple[str, ...], sighting: Sighting | None, context: _Context) -> Candidate:
    topology = context.topology
    version = sighting.version if sighting is not None else _known_version(change, bases, context)
    effective_ns = _effective_ns(change, sighting)
    is_untold = any(topology.is_served_untold(base, effective_ns) for base in bases)
    nodes, consumed_ns = Nodes(frozenset(), frozenset()), None
    if version is not None and not is_untold:
        nodes = context.histories.sides(version, bases, topology, is_first_sight=sighting is not None)
        consumed_ns = topology.consumed_since(version)
    reach = max((topology.reach[base] for base in bases), key=lambda one: one.strength)
    is_sighted = sighting is not None or consumed_ns is not None
    return Candidate(
        change=_with_versions(change, sighting),
        bases=bases,
        version=version,
        carriers=tuple(sorted({one for base in bases for one in topology.carriers(base)})),
        strength=reach.strength,
        path=reach.path if version is None else (*reach.path[:-1], version),
        acts_ns=max(effective_ns, consumed_ns or 0),
        lead_minutes=SIGHTED_LEAD_MINUTES if is_sighted else None,
        is_sighted=is_sighted,
        slack_ns=0 if is_sighted or not change.recorded else REPORT_SLACK_NS,
        is_consumed=is_untold or _is_consumed(version, bases, context),
        new_nodes=nodes.new,
        old_nodes=nodes.old,
    )


def _known_version(change: Change, bases: tuple[str, ...], context: _Context) -> str | None:
    """The node of a version that was reported, though it was not first seen then (a roll-back, the first version)."""
    if change.to_version is None:
        return None
    fitting = [
        one
        for one in context.histories.of(bases)
        if change.to_version in version_labels(one, context.entities.get(one))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _effective_ns(change: Change, sighting: Sighting | None) -> int:
    """First sight beats the report, unless it came long before: then the report is about something else."""
    if sighting is not None and sighting.first_seen_ns >= change.effective_ns - MATCH_WINDOW_NS:
        return sighting.first_seen_ns
    return change.effective_ns


def _is_consumed(version: str | None, bases: tuple[str, ...], context: _Context) -> bool:
    topology = context.topology
    if version is None or any(context.kinds.get(base) is EntityKind.SERVICE for base in bases):
        return True
    others = [one for one in context.histories.of(bases) if one != version]
    return bool(topology.consumers(version)) or not any(topology.consumers(one) for one in others)


def _with_versions(change: Change, sighting: Sighting | None) -> Change:
    """The recorded change with the versions that its report left out."""
    if sighting is None:
        return change
    return replace(
        change,
        from_version=change.from_version or version_text(sighting.previous),
        to_version=change.to_version or version_text(sighting.version),
    )
