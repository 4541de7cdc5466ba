"""Spans to GraphDelta: pairing, exposure, expiry. Pure: no I/O, no clock."""

from whence.fold.callers import Callers
from whence.fold.folder import SpanFolder
from whence.fold.reported import Reported
from whence.fold.stats import FoldStats

__all__ = ["Callers", "FoldStats", "Reported", "SpanFolder"]
