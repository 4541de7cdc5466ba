"""One order for everything that the ranking sees, and a digest of it.

Stores return rows in any order, and sums of floats depend on theirs in the last digits. So a case is put in order once,
and equal inputs give equal answers, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import numpy as np

from whence.model.rows import EdgeRows, ExposureRows, Ints, Names, OperationRows
from whence.rca.case import Case
from whence.rca.weights import WEIGHTS_VERSION

Table = TypeVar("Table", EdgeRows, OperationRows, ExposureRows)


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
        exposures=in_order(case.exposures),
        operations=in_order(case.operations),
        edges=in_order(case.edges),
        profiles=tuple(sorted(case.profiles, key=repr)),
    )


def in_order(rows: Table) -> Table:
    """The same table sorted as the tuples of its rows are, its names numbered in their order.

    Cost: sorts numbers. Only rows of equal names and start, of several writers that is, are compared as tuples.
    """
    named = rows.having(_in_order(one) if isinstance(one, Names) else one for one in rows.columns)
    rank = _rank(named)
    order = np.argsort(rank, kind="stable")
    tied = np.flatnonzero(np.diff(rank[order]) == 0)
    if len(tied):
        places = np.union1d(tied, tied + 1)
        members = dict(zip(order[places].tolist(), named.take(order[places]), strict=True))
        order[places] = sorted(members, key=members.__getitem__)
    return named.take(order)


def _in_order(column: Names[Any]) -> Names[Any]:
    """The column with its values sorted, without those that no row has."""
    used = np.flatnonzero(np.bincount(column.codes, minlength=len(column.values))).tolist()
    present = sorted((column.values[code], code) for code in used)
    number = np.zeros(len(column.values), dtype=np.int64)
    number[[code for _, code in present]] = np.arange(len(present))
    return Names(tuple(value for value, _ in present), number[column.codes])


def _rank(rows: EdgeRows | OperationRows | ExposureRows) -> Ints:
    """A number for each row by its names, which are in order, and its start."""
    rank = np.zeros(len(rows), dtype=np.int64)
    for column in rows.columns:
        if isinstance(column, Names):
            rank = rank * len(column.values) + column.codes
    if not len(rows):
        return rank
    first, last = int(rows.start_s.min()), int(rows.start_s.max())
    return rank * (last - first + 1) + rows.start_s - first


def inputs_hash(case: Case) -> str:
    """SHA-256 over an ordered case and the version of the weights, in hexadecimal."""
    fixed = (WEIGHTS_VERSION, case.incident, case.as_of_ns, case.history_from_ns, case.bucket_s, case.truncated)
    digest = hashlib.sha256(repr(fixed).encode("utf-8", "surrogatepass"))
    for few in (case.changes, case.profiles):
        digest.update(f"\n{len(few)}\n".encode())
        digest.update("\n".join(map(repr, few)).encode("utf-8", "surrogatepass"))
    # There may be very many of the others, so they are written down by the fastest means.
    entities = tuple(case.subgraph.entities.values())
    for many in (entities, case.subgraph.relations, case.versions):
        digest.update(msgspec.msgpack.encode(many))
    for rows in (case.exposures, case.operations, case.edges):
        for part in _written(rows):
            digest.update(part)
    return digest.hexdigest()


def _written(rows: EdgeRows | OperationRows | ExposureRows) -> Iterator[bytes]:
    """Every column of a table in bytes, none of which could be read as a part of the next one."""
    for column in rows.columns:
        if isinstance(column, Names):
            yield msgspec.msgpack.encode((column.values, column.codes.tobytes()))
        else:
            yield msgspec.msgpack.encode(column.tolist() if column.dtype == object else column.tobytes())
