"""Snapshot profiles: what one snapshot of a dataset looked like, without any of its cell values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column. Numbers only; None where the producer did not measure it."""

    name: str
    null_rate: float | None = None
    distinct: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class SnapshotProfile:
    """Profile of the snapshot ``version`` of ``dataset`` (both keys), taken at ``at_ns``."""

    version: str
    dataset: str
    at_ns: int
    rows: int | None = None
    bytes: int | None = None
    schema_hash: str | None = None
    columns: tuple[ColumnProfile, ...] = ()
