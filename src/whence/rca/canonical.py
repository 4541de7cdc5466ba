"""One order for everything that the ranking sees, and a digest of it.

Stores return rows in any order, and sums of floats depend on theirs in the last digits. So a case is put in order once,
and equal inputs give equal answers, byte for byte.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec

from whence.rca.case import Case
from whence.rca.weights import WEIGHTS_VERSION


def ordered(case: Case) -> Case:
    """The same case with every collection sorted. Cost: O(n log n) in rows."""
    graph = case.subgraph
    return replace(
        case,
        subgraph=replace(
            graph,
            entities=dict(sorted(graph.entities.items())),
            relations=tuple(sorted(graph.relations, key=lambda one: one.key)),
        ),
        changes=tuple(sorted(case.changes, key=repr)),
        versions=tuple(sorted(case.versions, key=lambda one: one.key)),
        exposures=tuple(sorted(case.exposures)),
        operations=tuple(sorted(case.operations)),
        edges=tuple(sorted(case.edges)),
        profiles=tuple(sorted(case.profiles, key=repr)),
    )


def inputs_hash(case: Case) -> str:
    """SHA-256 over an ordered case and the version of the weights, in hexadecimal."""
    fixed = (WEIGHTS_VERSION, case.incident, case.as_of_ns, case.history_from_ns, case.bucket_s, case.truncated)
    digest = hashlib.sha256(repr(fixed).encode("utf-8", "surrogatepass"))
    for few in (case.changes, case.profiles):
        digest.update(f"\n{len(few)}\n".encode())
        digest.update("\n".join(map(repr, few)).encode("utf-8", "surrogatepass"))
    # There may be very many of the others, so they are written down by the fastest means.
    entities = tuple(case.subgraph.entities.values())
    for many in (entities, case.subgraph.relations, case.versions, case.exposures, case.operations, case.edges):
        digest.update(msgspec.msgpack.encode(many))
    return digest.hexdigest()
