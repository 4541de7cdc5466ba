"""In which order the versions of each entity appeared, and what a request touches when it meets one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from whence.model.delta import Relation
from whence.model.environments import bears_on
from whence.rca.topology import Topology


class Nodes(NamedTuple):
    """What requests touch on either side of a change."""

    new: frozenset[str]
    old: frozenset[str]


class Histories:
    """Versions by entity, oldest first."""

    def __init__(self, versions: Iterable[Relation], environment: str | None) -> None:
        first: dict[str, dict[str, int]] = defaultdict(dict)
        for relation in versions:
            key = relation.key
            if bears_on(key.environment, environment):
                seen = min(first[key.src].get(key.dst, relation.first_seen_ns), relation.first_seen_ns)
                first[key.src][key.dst] = seen
        self._of = {base: sorted(seen, key=lambda one: (seen[one], one)) for base, seen in first.items()}

    def of(self, bases: Iterable[str]) -> list[str]:
        """All versions of some entities."""
        return [version for base in bases for version in self._of.get(base, ())]

    def sides(self, version: str, bases: Sequence[str], topology: Topology, *, is_first_sight: bool) -> Nodes:
        """What a request touches that met a change to ``version``, and that did not.

        A version that appears for the first time stays in those that follow it: they are built on it. One that comes
        back (a roll-back) stands alone against all others.
        """
        versions = self.of(bases)
        at = versions.index(version) if version in versions else len(versions)
        new = versions[at:] if is_first_sight else [version]
        old = versions[:at] if is_first_sight else [one for one in versions if one != version]
        touched = _touched(new, topology)
        return Nodes(touched, _touched(old, topology) - touched)


def _touched(versions: Iterable[str], topology: Topology) -> frozenset[str]:
    return frozenset(node for version in versions for node in topology.touched_through(version))
