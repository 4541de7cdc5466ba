"""What a check of one checkout says: the findings on its own things, each with where to mend it and how bad it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from whence.declare.declared import Declared
from whence.declare.difference import Finding, Status
from whence.declare.statements import Source, Suppression


class Level(StrEnum):
    """How bad a finding is, in SARIF's words. Only errors fail a check."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


LEVELS = {
    Status.UNDECLARED: Level.ERROR,
    Status.UNEXPECTED_VERSION: Level.ERROR,
    Status.UNUSED: Level.WARNING,
    Status.BLIND_SPOT: Level.NOTE,
}


class Checked(NamedTuple):
    """A finding on a checkout."""

    finding: Finding
    level: Level
    fingerprint: str
    """The same in every run, whatever the time; for baselines."""
    file: str
    line: int
    suppression: Suppression | None
    """Who answers for it, if anybody does; one that expired does not count any more."""


def check(findings: Iterable[Finding], declared: Declared, mine: Source, *, today: str) -> Iterator[Checked]:
    """Findings whose dependent is one of a checkout's own.

    Args:
        findings: Over all imports.
        declared: The same imports.
        mine: The checkout.
        today: As ``2026-11-25``.
    """
    places = _places(declared, mine)
    for finding in findings:
        if finding.dependent not in places:
            continue
        own = [one.edge for one in finding.statements if one.source == mine.name]
        file, line = (own[0].file, own[0].line) if own else places[finding.dependent]
        suppression = _suppression(finding, declared, mine.statements.suppressions, today)
        yield Checked(finding, LEVELS[finding.status], fingerprint(finding), file, line, suppression)


def fingerprint(finding: Finding) -> str:
    """Identity of a finding over time."""
    identity = "\n".join((finding.status, finding.dependent, finding.dependency, finding.environment))
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _places(declared: Declared, mine: Source) -> dict[str, tuple[str, int]]:
    """Where the things of a checkout are described, or their first edge stands."""
    found: dict[str, tuple[str, int]] = {}
    for thing in mine.statements.things:
        for key in declared.meant(thing.name):
            found.setdefault(key, (thing.file, thing.line))
    for edge in mine.statements.edges:
        for key in declared.meant(edge.dependent):
            found.setdefault(key, (edge.file, edge.line))
    return found


def _suppression(
    finding: Finding, declared: Declared, suppressions: Iterable[Suppression], today: str
) -> Suppression | None:
    for one in suppressions:
        if (
            one.expires >= today
            and one.status in ("", finding.status)
            and finding.dependent in declared.meant(one.dependent)
            and finding.dependency in declared.meant(one.dependency)
        ):
            return one
    return None
