"""Changes that nobody recorded, read off the first sight of a version, and their match with recorded ones.

A version that appears where another one was before is a change, whatever the deployment tool says. A recorded change
that explains it keeps its id and lends it its links; the sighting lends the recorded change its time and its version.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from whence.model.change import Change
from whence.model.delta import Entity, Relation
from whence.model.environments import UNNAMED, bears_on
from whence.model.kinds import VERSION_KINDS, ChangeKind, EntityKind
from whence.model.names import REVISION, SERVICE_VERSION
from whence.model.times import NS_PER_SECOND
from whence.rca.topology import version_text

MATCH_WINDOW_NS = 10 * 60 * NS_PER_SECOND
"""How far apart report and first sight of one change may lie when no version tells."""
SHORT_REVISION_CHARS = 7

KIND_OF_CHANGE = {
    EntityKind.SERVICE: ChangeKind.DEPLOYMENT,
    EntityKind.MODEL: ChangeKind.MODEL,
    EntityKind.DATASET: ChangeKind.DATASET,
    EntityKind.PROMPT: ChangeKind.CONFIG,
    EntityKind.FLAG: ChangeKind.FLAG,
}
"""What a new version of an entity amounts to; kinds that are absent (a job's runs) are no change by themselves."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """First sight of a version in an environment, where another version had been seen before."""

    base: str
    version: str
    """Key of the version node."""
    previous: str
    """Key of the version that appeared last before it."""
    environment: str
    first_seen_ns: int


def sightings(versions: Iterable[Relation], environment: str | None) -> tuple[Sighting, ...]:
    """Every version that replaced another one, in order of first sight. Not the first version of its entity.

    A version that was also reported without an environment (by a lineage event) is one and the same where it was seen;
    where one environment is asked for, what named none counts as seen there.
    """
    kept = [one for one in versions if bears_on(one.key.environment, environment)]
    named: dict[str, set[str]] = defaultdict(set)
    for relation in kept:
        if relation.key.environment != UNNAMED:
            named[relation.key.dst].add(relation.key.environment)
    series: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for relation in kept:
        key = relation.key
        places = {key.environment} if key.environment != UNNAMED else named[key.dst] or {environment or UNNAMED}
        for place in places:
            first = series[(key.src, place)]
            first[key.dst] = min(first.get(key.dst, relation.first_seen_ns), relation.first_seen_ns)
    found = []
    for (base, where), first in series.items():
        ordered = sorted(first.items(), key=lambda item: (item[1], item[0]))
        earliest = ordered[0][1]
        found += [
            Sighting(base, version, previous, where, seen)
            for (previous, _), (version, seen) in zip(ordered, ordered[1:], strict=False)
            if seen > earliest
        ]
    return tuple(sorted(found, key=lambda one: (one.first_seen_ns, one.base, one.version, one.environment)))


def version_labels(version: str, entity: Entity | None) -> frozenset[str]:
    """All texts by which a report may call a version: its key, version, revision, and short revision."""
    labels = {version, version_text(version)}
    if entity is not None:
        labels.update(item.value for item in entity.attributes if item.name in (SERVICE_VERSION, REVISION))
    labels.update(label[:SHORT_REVISION_CHARS] for label in tuple(labels) if _looks_like_revision(label))
    return frozenset(labels)


def match(
    changes: Iterable[Change],
    subjects: Mapping[str, Sequence[str]],
    seen: Sequence[Sighting],
    entities: Mapping[str, Entity],
) -> dict[str, Sighting]:
    """The sighting that belongs to each recorded change, by change id; changes without one are absent.

    Args:
        changes: Recorded changes.
        subjects: Entities that each change is about, by change id.
        seen: All sightings.
        entities: Known version nodes, for their labels.
    """
    by_base: dict[str, list[Sighting]] = defaultdict(list)
    for one in seen:
        by_base[one.base].append(one)
    labels = {one.version: version_labels(one.version, entities.get(one.version)) for one in seen}
    matched = {}
    for change in changes:
        mine = [one for base in subjects.get(change.id, ()) for one in by_base.get(base, ())]
        fitting = [one for one in mine if _is_kind_of(change, entities.get(one.version))]
        best = _best_match(change, mine, fitting, labels)
        if best is not None:
            matched[change.id] = best
    return matched


def inferred_change(sighting: Sighting, kind: EntityKind) -> Change | None:
    """The change that a sighting amounts to; None for kinds whose new versions are no change."""
    change_kind = KIND_OF_CHANGE.get(kind)
    if change_kind is None:
        return None
    identity = "\n".join((sighting.base, sighting.version, sighting.environment))
    return Change(
        id=f"seen-{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}",
        kind=change_kind,
        subject=sighting.base,
        effective_ns=sighting.first_seen_ns,
        known_ns=sighting.first_seen_ns,
        reported_ns=sighting.first_seen_ns,
        from_version=version_text(sighting.previous),
        to_version=version_text(sighting.version),
        environment=sighting.environment,
        source="spans",
        recorded=False,
    )


def _is_kind_of(change: Change, version: Entity | None) -> bool:
    """Whether such a change brings such a version: a config or a node pool that changes brings no new code."""
    if version is None or change.kind is ChangeKind.OTHER:
        return True
    kind = next((entity for entity, of_version in VERSION_KINDS.items() if of_version is version.kind), version.kind)
    return KIND_OF_CHANGE.get(kind, change.kind) is change.kind


def _best_match(
    change: Change, mine: Sequence[Sighting], fitting: Sequence[Sighting], labels: Mapping[str, frozenset[str]]
) -> Sighting | None:
    """By the version that the report names; else the nearest in time of those that such a change can bring."""
    environment = change.environment
    mine, fitting = (
        [one for one in some if not environment or bears_on(one.environment, environment)] for some in (mine, fitting)
    )
    named = [one for one in mine if change.to_version is not None and change.to_version in labels[one.version]]
    if not named and change.to_version is not None and _is_version_text(change.to_version, mine):
        return None
    near = named or [one for one in fitting if abs(one.first_seen_ns - change.effective_ns) <= MATCH_WINDOW_NS]
    return min(near, key=lambda one: (abs(one.first_seen_ns - change.effective_ns), one.version), default=None)


def _is_version_text(text: str, mine: Sequence[Sighting]) -> bool:
    """Whether a report names the version that another one replaced: then it is not about the replacement."""
    return any(text == version_text(one.previous) for one in mine)


def _looks_like_revision(label: str) -> bool:
    return len(label) >= 12 and all(char in "0123456789abcdef" for char in label)
