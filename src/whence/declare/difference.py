"""Declared against observed: what nobody declared, what nobody uses, and what could not have been seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from whence.declare.coverage import Coverage
from whence.declare.declared import RUNTIME, Declared, Pair, Statement
from whence.model.delta import Relation
from whence.model.graph import Dependency
from whence.model.kinds import Layer


class Status(StrEnum):
    """What is wrong with a dependency."""

    UNDECLARED = "undeclared"
    UNUSED = "unused"
    BLIND_SPOT = "blind_spot"
    UNEXPECTED_VERSION = "unexpected_version"


class Finding(NamedTuple):
    """One difference. ``first_seen_ns`` and ``last_seen_ns`` are None for what was never seen."""

    status: Status
    dependent: str
    dependency: str
    environment: str
    types: tuple[str, ...]
    first_seen_ns: int | None
    last_seen_ns: int | None
    reason: str
    """One constant word."""
    statements: tuple[Statement, ...]
    """What files say of it: for an undeclared one, that it is allowed."""
    versions: tuple[str, ...] = ()
    """Keys of the unexpected versions."""


_Where = tuple[str, str, str]
"""Dependent, dependency, environment."""
_TYPES = {type_: (type_.value,) for type_ in RUNTIME}


class _Seen(NamedTuple):
    """One dependency in one environment, all its types together."""

    types: tuple[str, ...]
    first_ns: int
    last_ns: int


REASONS = {
    "not_declared": "no file declares it",
    "only_allowed": "a network rule allows it, but no file declares it",
    "never_observed": "it would have been seen, and was never used in this window",
    "dependent_not_seen": "the dependent sent nothing in this window, so nobody can tell",
    "no_calls_seen": "no call of the dependent is visible, and the other end is not instrumented",
    "no_data_seen": "no data access of the dependent is visible: its client library is not instrumented",
    "no_models_seen": "no use of a model by the dependent is visible",
    "other_version": "a version is in use that no declaration expects",
}


def differences(
    observed: Sequence[Dependency], declared: Declared, coverage: Coverage, environment: str | None
) -> list[Finding]:
    """All findings but unexpected versions, in any order.

    Args:
        observed: Dependencies in a window; those in the declared layer count as declared, without a file.
        declared: Over the keys of ``observed``.
        coverage: Of ``observed``.
        environment: None for all; each is judged by itself.
    """
    seen = _seen(observed)
    stored = {(one.src, one.dst) for one in observed if one.layer is Layer.DECLARED}
    undeclared = _undeclared(seen, stored, declared)
    unseen = _unseen(seen, declared, coverage, environment)
    return [*undeclared, *unseen]


def pinned(declared: Declared, environment: str | None) -> dict[Pair, tuple[Statement, ...]]:
    """Dependencies whose version files fix, with the statements that do."""
    found = {
        pair: tuple(one for one in statements if one.edge.versions and _holds_in(one, environment))
        for pair, statements in declared.pairs.items()
    }
    return {pair: statements for pair, statements in found.items() if statements}


def unexpected(pair: Pair, statements: tuple[Statement, ...], in_use: Iterable[Relation]) -> list[Finding]:
    """Findings on the versions of a dependency that its dependent uses, one for each environment.

    Args:
        pair: Keys of both entities.
        statements: Those that fix the version; what any of them expects is expected.
        in_use: Relations from the dependent, or a version of it, to versions of the dependency.
    """
    others: dict[str, list[Relation]] = defaultdict(list)
    for relation in in_use:
        environment = relation.key.environment
        expected = {v for one in statements if one.edge.environment in ("", environment) for v in one.edge.versions}
        if expected and not any(_is_version(relation.key.dst, version) for version in expected):
            others[environment].append(relation)
    return [_unexpected(pair, environment, statements, found) for environment, found in sorted(others.items())]


def _unexpected(pair: Pair, environment: str, statements: tuple[Statement, ...], found: list[Relation]) -> Finding:
    return Finding(
        Status.UNEXPECTED_VERSION,
        *pair,
        environment,
        tuple(sorted({one.key.type.value for one in found})),
        min(one.first_seen_ns for one in found),
        max(one.last_seen_ns for one in found),
        "other_version",
        statements,
        tuple(sorted({one.key.dst for one in found})),
    )


def _seen(observed: Iterable[Dependency]) -> dict[_Where, _Seen]:
    found: dict[_Where, _Seen] = {}
    for src, type_, dst, environment, layer, first_ns, last_ns in observed:
        if layer is not Layer.OBSERVED or type_ not in RUNTIME or src == dst:
            continue
        key = (src, dst, environment)
        new = _Seen(_TYPES[type_], first_ns, last_ns)
        before = found.get(key)
        found[key] = new if before is None else _both(before, new)
    return found


def _both(one: _Seen, other: _Seen) -> _Seen:
    types = tuple(sorted({*one.types, *other.types}))
    return _Seen(types, min(one.first_ns, other.first_ns), max(one.last_ns, other.last_ns))


def _undeclared(seen: dict[_Where, _Seen], stored: set[Pair], declared: Declared) -> Iterator[Finding]:
    for (src, dst, environment), (types, first_ns, last_ns) in seen.items():
        if (src, dst) in stored:
            continue
        statements = declared.covering(src, dst, environment)
        if statements and any(statement.edge.layer is Layer.DECLARED for statement in statements):
            continue
        reason = "only_allowed" if statements else "not_declared"
        yield Finding(Status.UNDECLARED, src, dst, environment, types, first_ns, last_ns, reason, statements)


def _unseen(
    seen: dict[_Where, _Seen], declared: Declared, coverage: Coverage, environment: str | None
) -> Iterator[Finding]:
    """One finding for each declared edge none of whose pairs was seen; statements on the same ends go together."""
    together: dict[_Where, list[Statement]] = defaultdict(list)
    by_pair: dict[Pair, set[str]] = defaultdict(set)
    for src, dst, where in seen:
        if (src, dst) in declared.pairs:
            by_pair[src, dst].add(where)
    for statement in declared.statements:
        edge = statement.edge
        if edge.type not in RUNTIME or edge.layer is not Layer.DECLARED or not _holds_in(statement, environment):
            continue
        wanted = edge.environment or environment
        if any(_is_among(wanted, by_pair.get(pair)) for pair in declared.pairs_of(edge)):
            continue
        src, dst = (declared.meant(name)[0] for name in (edge.dependent, edge.dependency))
        together[src, dst, edge.environment].append(statement)
    for (src, dst, where), statements in together.items():
        yield _never_seen(src, dst, where, tuple(statements), coverage)


def _never_seen(src: str, dst: str, where: str, statements: tuple[Statement, ...], coverage: Coverage) -> Finding:
    types = tuple(sorted({one.edge.type.value for one in statements}))
    blind = coverage.blind_to(src, statements[0].edge.type, dst)
    status = Status.BLIND_SPOT if blind else Status.UNUSED
    return Finding(status, src, dst, where, types, None, None, blind or "never_observed", statements)


def _is_among(environment: str | None, environments: set[str] | None) -> bool:
    """Whether one was seen there, or without an environment, which may be any."""
    return bool(environments) and (environment is None or not {environment, ""}.isdisjoint(environments or ()))


def _holds_in(statement: Statement, environment: str | None) -> bool:
    return environment is None or statement.edge.environment in ("", environment)


def _is_version(key: str, expected: str) -> bool:
    """Whether a key is of a version that was written as ``v41``, ``version:v41``, or the start of a commit."""
    kind_and_version = key.rpartition("#")[2].partition("@")[2]
    kind, _, version = kind_and_version.partition(":")
    is_commit = kind == "git" and len(expected) >= 7 and version.startswith(expected)
    return expected in (version, kind_and_version) or is_commit
