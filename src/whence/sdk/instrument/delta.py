"""Delta Lake tables, by version number."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from whence.sdk.instrument.files import table_reference
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import reads, writes

if TYPE_CHECKING:
    from deltalake import DeltaTable


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at tables as they are opened and read, and at writes."""
    # Looking up what was written opens the table too, which is no read of the application's.
    open_unseen = library.DeltaTable.__init__

    def written(_result: Any, target: Any, *_args: Any, **kwargs: Any) -> None:
        table = object.__new__(library.DeltaTable)
        uri = target.table_uri if isinstance(target, library.DeltaTable) else target
        open_unseen(table, uri, storage_options=kwargs.get("storage_options"))
        writes(table_reference(table.table_uri, f"delta:{table.version()}"))

    for method in ("__init__", "to_pandas", "to_pyarrow_table", "to_pyarrow_dataset"):
        patches.look_at(library.DeltaTable, method, _read)
    patches.look_at(library, "write_deltalake", written)


def _read(_result: Any, table: DeltaTable, *_args: Any, **_kwargs: Any) -> None:
    reads(table_reference(table.table_uri, f"delta:{table.version()}"))
