"""Exposure rows as numpy columns: requests into the symptom, by what they touched."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise

import numpy as np

from whence.model.delta import ALL_REQUESTS
from whence.model.graph import EdgeRow, ExposureRow
from whence.model.kinds import Signal
from whence.model.rows import ExposureRows
from whence.rca.case import Case
from whence.rca.columns import Floats, Ints, sum_by
from whence.rca.sketches import BUCKETS, decode_all, histograms, quantile_index
from whence.rca.topology import Topology

SLOW_FRACTION = 0.95
"""A request counts as slow when it took longer than this quantile of its operation's baseline."""
BASELINE_SHARE = 0.4
"""Leading share of the time before detection that serves as baseline for "slow"."""


class Requests:
    """Columns over exposure rows, one entry for each row."""

    def __init__(self, rows: ExposureRows, bucket_s: int) -> None:
        self.bucket_s = bucket_s
        self.start_s: Ints = rows.start_s
        self.nodes: tuple[str, ...] = rows.node.values
        """Keys of everything that requests touched, ``ALL_REQUESTS`` among them."""
        self.node: Ints = rows.node.codes
        """Position in ``nodes``."""
        self.operation: Ints = rows.operation.codes
        self.operations = len(rows.operation.values)
        self.total: Floats = rows.requests
        self.total_sq: Floats = rows.requests_sq
        self._errors = rows.errors
        self._poor = rows.poor
        self._latency = decode_all(rows.latency)
        self._touching: dict[frozenset[str], Ints] = {}

    def __len__(self) -> int:
        return len(self.total)

    @cached_property
    def everything(self) -> Ints:
        """Positions of the rows that count every request, whatever it touched."""
        return self.touching((ALL_REQUESTS,))

    def touching(self, nodes: Iterable[str]) -> Ints:
        """Positions of the rows of some nodes, ascending. Not to be written to; asked again it costs nothing."""
        wanted = frozenset(nodes)
        found = self._touching.get(wanted)
        if found is None:
            found = self._touching[wanted] = self._rows_of(wanted)
        return found

    def _rows_of(self, nodes: frozenset[str]) -> Ints:
        members = [self._by_node[node] for node in nodes if node in self._by_node]
        return np.sort(np.concatenate(members)) if members else np.empty(0, dtype=np.int64)

    @cached_property
    def _by_node(self) -> dict[str, Ints]:
        """Positions of the rows of each node."""
        order = np.argsort(self.node, kind="stable")
        bounds = np.searchsorted(self.node[order], np.arange(len(self.nodes) + 1)).tolist()
        return {node: order[start:end] for node, (start, end) in zip(self.nodes, pairwise(bounds), strict=True)}

    def bad(self, signal: Signal, baseline_until_s: int) -> Floats:
        """Bad requests in each row: failed, slower than usual, or poor, by the signal that is asked about."""
        if signal is Signal.LATENCY:
            return self._slow(baseline_until_s)
        return self._poor if signal is Signal.QUALITY else self._errors

    def baseline_until_s(self, detected_s: int) -> int:
        """End of the time that counts as "usual" for latencies, in epoch seconds."""
        before = self.start_s[self.start_s < detected_s]
        if not len(before):
            return detected_s
        first = int(before.min())
        return first + max(self.bucket_s, round((detected_s - first) * BASELINE_SHARE))

    def _slow(self, baseline_until_s: int) -> Floats:
        usual = np.full(len(self), -1, dtype=np.int64)
        kept = self.everything[self.start_s[self.everything] < baseline_until_s]
        usual[kept] = self.operation[kept]
        baselines = histograms(self._latency, usual, self.operations)
        limits = np.array([quantile_index(one, SLOW_FRACTION) for one in baselines] or [BUCKETS], dtype=np.int64)
        row = self._latency.row
        over = self._latency.bucket > limits[self.operation[row]]
        return sum_by(row[over], self._latency.weight[over], len(self))


def rows_into(case: Case, topology: Topology) -> ExposureRows:
    """Requests into the symptom; for a model or dataset, which nobody enters, what its users say of it."""
    if len(case.exposures):
        return case.exposures
    uses = [row for row in case.edges if topology.base(row.relation.dst) == topology.symptom]
    return ExposureRows.of(_as_request(row, node) for row in uses for node in (ALL_REQUESTS, row.relation.dst))


def _as_request(row: EdgeRow, node: str) -> ExposureRow:
    return ExposureRow(
        service=row.relation.dst,
        operation=row.relation.src,
        node=node,
        start_s=row.start_s,
        requests=row.calls,
        requests_sq=row.calls,
        errors=row.errors,
        poor=0.0,
        latency=row.latency,
    )
