"""When the symptom's service began to log errors: what is left to date the onset by where requests show none."""

from __future__ import annotations

import numpy as np

from whence.model.times import NS_PER_SECOND
from whence.rca.case import Case
from whence.rca.columns import sum_by
from whence.rca.splits import NO_SPLIT, Split, best_surge
from whence.rca.topology import Topology


def logged_onset(case: Case, topology: Topology) -> Split:
    """The likeliest surge of the service's own error logs up to the detection; no split when there is none."""
    rows = case.operations
    mine = np.array([topology.base(node) == topology.symptom for node in rows.node.values], dtype=bool)
    detected_s = case.incident.detected_ns // NS_PER_SECOND
    kept = np.flatnonzero(rows.start_s <= detected_s)
    own = kept[mine[rows.node.codes[kept]] & (rows.error_logs[kept] > 0)] if len(mine) else kept[:0]
    if not len(own):
        return NO_SPLIT
    first = int(rows.start_s[kept].min())
    buckets = (detected_s - first) // case.bucket_s + 1
    starts = first + case.bucket_s * np.arange(buckets, dtype=np.int64)
    position = (rows.start_s[own] - first) // case.bucket_s
    return best_surge(starts, sum_by(position, rows.error_logs[own], buckets), case.bucket_s)
