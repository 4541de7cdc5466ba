"""Iceberg tables through pyiceberg, by snapshot."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from whence.sdk.instrument.files import table_reference
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import reads, writes


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at scans as they are planned, and at transactions as they are committed."""
    # Every way to read a table plans the scan first, and every way to write one commits a transaction.
    patches.look_at(library.DataScan, "plan_files", _read)
    before: WeakKeyDictionary[Any, int | None] = WeakKeyDictionary()

    def began(_result: None, transaction: Any, table: Any, *_args: Any, **_kwargs: Any) -> None:
        before[transaction] = table.metadata.current_snapshot_id

    def committed(table: Any, transaction: Any) -> None:
        snapshot = table.metadata.current_snapshot_id
        if snapshot is not None and snapshot != before.get(transaction):
            before[transaction] = snapshot
            writes(table_reference(table.metadata.location, f"iceberg:{snapshot}"))

    patches.look_at(library.Transaction, "__init__", began)
    for kind in (library.Transaction, library.CreateTableTransaction):
        patches.look_at(kind, "commit_transaction", committed)


def _read(_result: Any, scan: Any) -> None:
    snapshot = scan.snapshot()
    if snapshot is not None:
        reads(table_reference(scan.table_metadata.location, f"iceberg:{snapshot.snapshot_id}"))
