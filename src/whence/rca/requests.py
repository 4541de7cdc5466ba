"""Exposure rows as numpy columns: requests into the symptom, by what they touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from whence.model.delta import ALL_REQUESTS
from whence.model.graph import EdgeRow, ExposureRow
from whence.model.kinds import Signal
from whence.rca.case import Case
from whence.rca.columns import Floats, Ints, numbered, sum_by
from whence.rca.sketches import BUCKETS, decode_all, histograms, quantile_index
from whence.rca.topology import Topology

SLOW_FRACTION = 0.95
"""A request counts as slow when it took longer than this quantile of its operation's baseline."""
BASELINE_SHARE = 0.4
"""Leading share of the time before detection that serves as baseline for "slow"."""


class Requests:
    """Columns over exposure rows, one entry for each row."""

    def __init__(self, rows: Sequence[ExposureRow], bucket_s: int) -> None:
        self.bucket_s = bucket_s
        self.start_s: Ints = np.array([row.start_s for row in rows], dtype=np.int64)
        self.node, self._node_number = numbered([row.node for row in rows])
        self.operation, numbers = numbered([row.operation for row in rows])
        self.operations = len(numbers)
        self.total: Floats = np.array([row.requests for row in rows], dtype=np.float64)
        self.total_sq: Floats = np.array([row.requests_sq for row in rows], dtype=np.float64)
        self._errors: Floats = np.array([row.errors for row in rows], dtype=np.float64)
        self._poor: Floats = np.array([row.poor for row in rows], dtype=np.float64)
        self._latency = decode_all([row.latency for row in rows])

    def __len__(self) -> int:
        return len(self.total)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Keys of everything that requests touched, ``ALL_REQUESTS`` among them."""
        return tuple(self._node_number)

    @cached_property
    def everything(self) -> Ints:
        """Positions of the rows that count every request, whatever it touched."""
        return self.touching((ALL_REQUESTS,))

    def touching(self, nodes: Iterable[str]) -> Ints:
        """Positions of the rows of some nodes."""
        numbers = [self._node_number[node] for node in nodes if node in self._node_number]
        return np.flatnonzero(np.isin(self.node, numbers))

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


def rows_into(case: Case, topology: Topology) -> tuple[ExposureRow, ...]:
    """Requests into the symptom; for a model or dataset, which nobody enters, what its users say of it."""
    if case.exposures:
        return case.exposures
    uses = [row for row in case.edges if topology.base(row.relation.dst) == topology.symptom]
    return tuple(_as_request(row, node) for row in uses for node in (ALL_REQUESTS, row.relation.dst))


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
