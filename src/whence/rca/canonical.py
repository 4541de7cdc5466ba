"""A digest of everything that the ranking saw; the order of rows doesn't enter it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from whence.rca.case import Case
from whence.rca.weights import WEIGHTS_VERSION


def inputs_hash(case: Case) -> str:
    """SHA-256 over a canonical form of the case and the version of the weights, in hexadecimal."""
    digest = hashlib.sha256()
    fixed = (WEIGHTS_VERSION, case.incident, case.as_of_ns, case.history_from_ns, case.bucket_s, case.truncated)
    for part in (
        [repr(fixed)],
        _sorted(case.subgraph.entities.values()),
        _sorted(case.subgraph.relations),
        _sorted(case.changes),
        _sorted(case.versions),
        _sorted(case.exposures),
        _sorted(case.operations),
        _sorted(case.edges),
        _sorted(case.profiles),
    ):
        digest.update(f"{len(part)}\n".encode())
        digest.update("\n".join(part).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _sorted(items: Iterable[object]) -> list[str]:
    return sorted(map(repr, items))
