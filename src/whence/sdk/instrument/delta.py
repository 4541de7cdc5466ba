"""Delta Lake tables, by version number."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from whence.sdk.instrument.files import file_reference, named
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
        writes(_reference(table.table_uri, table.version()))

    for method in ("__init__", "to_pandas", "to_pyarrow_table", "to_pyarrow_dataset"):
        patches.look_at(library.DeltaTable, method, _read)
    patches.look_at(library, "write_deltalake", written)


def _read(_result: Any, table: DeltaTable, *_args: Any, **_kwargs: Any) -> None:
    reads(_reference(table.table_uri, table.version()))


def _reference(uri: str, version: int) -> str:
    remote = None if uri.startswith("file://") or "://" not in uri else file_reference(uri.rstrip("/"))
    return f"{remote}@delta:{version}" if remote else named("file", _path(uri), f"delta:{version}")


def _path(uri: str) -> str:
    return Path(uri.removeprefix("file://")).absolute().as_posix()
