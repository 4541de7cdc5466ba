"""A digest of everything that the ranking saw; the order of rows doesn't enter it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from whence.rca.case import Case
from whence.rca.weights import WEIGHTS_VERSION


def inputs_hash(case: Case) -> str:
    """SHA-256 over a canonical form of the case and the version of the weights, in hexadecimal."""
    fixed = (WEIGHTS_VERSION, case.incident, case.as_of_ns, case.history_from_ns, case.bucket_s, case.truncated)
    digest = hashlib.sha256(repr(fixed).encode("utf-8", "surrogatepass"))
    for part in (
        case.subgraph.entities.values(),
        case.subgraph.relations,
        case.changes,
        case.versions,
        case.profiles,
        # Plain tuples: these may be many, and naming the fields in each would take most of the time.
        (tuple(row) for row in case.exposures),
        (tuple(row) for row in case.operations),
        ((*row.relation, *row[1:]) for row in case.edges),
    ):
        _add(digest, part)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, items: Iterable[object]) -> None:
    lines = sorted(map(repr, items))
    digest.update(f"\n{len(lines)}\n".encode())
    digest.update("\n".join(lines).encode("utf-8", "surrogatepass"))
