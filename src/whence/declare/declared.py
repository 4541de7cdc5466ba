"""What all imports state together, looked up by the keys of the graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from whence.declare.names import Names
from whence.declare.statements import Edge, Source, Thing
from whence.model.kinds import RelationType

RUNTIME = frozenset({RelationType.CALLS, RelationType.READS, RelationType.CONSUMES, RelationType.USES_MODEL})
"""What is declared and observed alike: what a dependent does while it runs."""

Pair = tuple[str, str]


class Statement(NamedTuple):
    """An edge, and who states it."""

    source: str
    revision: str
    edge: Edge


class Description(NamedTuple):
    """What is said of a thing, and who says it."""

    source: str
    revision: str
    thing: Thing


class Value(NamedTuple):
    """One side of a disagreement."""

    value: str
    source: str
    revision: str
    file: str
    line: int


class Disagreement(NamedTuple):
    """Files that say different things of one subject."""

    subject: str
    """Key or name; ``dependent -> dependency`` for an edge."""
    field: str
    values: tuple[Value, ...]


class Declared:
    """Statements of several imports over known keys.

    Args:
        sources: The imports.
        keys: Keys of entities that names may mean.
    """

    def __init__(self, sources: Sequence[Source], keys: Iterable[str]) -> None:
        self._sources = tuple(sources)
        keys = frozenset(keys)
        self._keys = keys
        self._names = Names(keys, [(one.name, one.of) for source in sources for one in source.statements.aliases])
        self._meant: dict[str, tuple[str, ...]] = {}
        self.declassifications = tuple(one for source in sources for one in source.statements.declassifications)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Every edge, with who states it."""
        return tuple(
            Statement(name, revision, edge) for name, revision, statements in self._sources for edge in statements.edges
        )

    @cached_property
    def pairs(self) -> Mapping[Pair, Sequence[Statement]]:
        """Statements on runtime dependencies by the keys of both ends."""
        found: dict[Pair, list[Statement]] = defaultdict(list)
        for statement in self.statements:
            if statement.edge.type in RUNTIME:
                for pair in self.pairs_of(statement.edge):
                    found[pair].append(statement)
        return dict(found)

    @cached_property
    def _of_known(self) -> Mapping[Pair, Sequence[Statement]]:
        """As ``pairs``, of known dependents only: a few of thousands where a part of a graph is looked at."""
        found: dict[Pair, list[Statement]] = defaultdict(list)
        for name, revision, statements in self._sources:
            for edge in statements.edges:
                if edge.type in RUNTIME and not self._keys.isdisjoint(self.meant(edge.dependent)):
                    for pair in self.pairs_of(edge):
                        found[pair].append(Statement(name, revision, edge))
        return dict(found)

    @cached_property
    def descriptions(self) -> Mapping[str, Sequence[Description]]:
        """What is said of things, by key; by name where nothing known bears it."""
        found: dict[str, list[Description]] = defaultdict(list)
        for source in self._sources:
            for thing in source.statements.things:
                for key in self.meant(thing.name):
                    found[key].append(Description(source.name, source.revision, thing))
        return dict(found)

    def meant(self, name: str) -> tuple[str, ...]:
        """Keys that a name means, sorted; the name itself where nothing known bears it."""
        found = self._meant.get(name)
        if found is None:
            found = self._meant[name] = tuple(sorted(self._names.meant(name))) or (name,)
        return found

    def pairs_of(self, edge: Edge) -> list[Pair]:
        """Every pair of keys that an edge covers."""
        dependencies = self.meant(edge.dependency)
        return [(one, other) for one in self.meant(edge.dependent) for other in dependencies]

    def covering(self, dependent: str, dependency: str, environment: str) -> tuple[Statement, ...]:
        """Statements on one dependency that hold in an environment; what was seen without one may be of any."""
        found = self._of_known.get((dependent, dependency))
        if found is None:
            return ()
        return tuple(one for one in found if not environment or one.edge.environment in ("", environment))

    def described(self, key: str) -> tuple[Thing, ...]:
        """What is said of a thing."""
        return tuple(one.thing for one in self.descriptions.get(key, ()))

    def owner(self, key: str) -> str | None:
        """First owner that any file names."""
        return next((thing.owner for thing in self.described(key) if thing.owner), None)

    def labels(self, key: str) -> frozenset[str]:
        """Labels that any file gives a thing."""
        return frozenset(label for thing in self.described(key) for label in thing.labels)

    def purposes(self, key: str) -> frozenset[str]:
        """Purposes that any file gives a thing."""
        return frozenset(purpose for thing in self.described(key) for purpose in thing.purposes)

    def ends_of(self, label: str) -> frozenset[str]:
        """Keys of entities and versions at which somebody declassified a label."""
        return frozenset(key for one in self.declassifications if one.label == label for key in self.meant(one.subject))

    def disagreements(self) -> tuple[Disagreement, ...]:
        """Where files contradict each other, sorted by subject and field."""
        found = [*self._about_things(), *self._about_versions()]
        return tuple(sorted(one for one in found if len({value.value for value in one.values}) > 1))

    def _about_things(self) -> Iterable[Disagreement]:
        for key, descriptions in self.descriptions.items():
            for field in ("owner", "lifecycle"):
                values = tuple(
                    Value(getattr(one.thing, field), one.source, one.revision, one.thing.file, one.thing.line)
                    for one in descriptions
                    if getattr(one.thing, field)
                )
                yield Disagreement(key, field, values)

    def _about_versions(self) -> Iterable[Disagreement]:
        for (dependent, dependency), statements in self.pairs.items():
            values = tuple(
                Value(" ".join(sorted(one.edge.versions)), one.source, one.revision, one.edge.file, one.edge.line)
                for one in statements
                if one.edge.versions
            )
            yield Disagreement(f"{dependent} -> {dependency}", "versions", values)
