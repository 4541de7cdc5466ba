"""How many requests one sampled span stands for, from the ``ot=th:`` entry of its trace state."""

from __future__ import annotations

import re

_THRESHOLD = re.compile(r"(?:^|,)\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:;|,|\s|\Z)")
_RANGE = 1 << 56
_STEP = 1024
"""Weights are multiples of 1/1024, so that sums of them are exact and don't depend on the order of adding."""


class Weights(dict[bytes, float]):
    """From the bytes of a trace state to the weight; index it with any. 1 where no threshold is stated."""

    _MAX_CACHED = 4_096

    def __missing__(self, trace_state: bytes) -> float:
        if len(self) >= self._MAX_CACHED:
            self.clear()
        weight = self[trace_state] = weight_of(trace_state.decode("ascii", "replace"))
        return weight


def weight_of(trace_state: str) -> float:
    """1 / sampling probability; the digits of the threshold are the leading ones of 14."""
    match = _THRESHOLD.search(trace_state)
    if match is None:
        return 1.0
    rejected = int(match[1].ljust(14, "0"), 16)
    return round(_RANGE / (_RANGE - rejected) * _STEP) / _STEP
