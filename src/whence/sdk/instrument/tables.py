"""Parquet, CSV and the like, read and written through pandas, polars, pyarrow and duckdb."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import file_reference
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import reads, writes

_READERS = {
    "pandas": ("read_csv", "read_parquet", "read_feather", "read_json", "read_excel", "read_orc"),
    "polars": ("read_csv", "read_parquet", "read_ipc", "read_ndjson", "scan_csv", "scan_parquet", "scan_ndjson"),
    "pyarrow.parquet": ("read_table",),
    "duckdb": ("read_csv", "read_parquet", "read_json", "from_parquet"),
}
_WRITERS = {
    "pandas": ("to_csv", "to_parquet", "to_feather", "to_json", "to_orc"),
    "polars": ("write_csv", "write_parquet", "write_ipc", "write_ndjson"),
}
_PATH_NAMES = ("filepath_or_buffer", "path", "source", "file", "path_or_buf", "where", "file_glob", "path_or_buffer")


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at what the library's functions read and its tables' methods write."""
    for name in _READERS[library.__name__]:
        patches.look_at(library, name, _read)
    for name in _WRITERS.get(library.__name__, ()):
        for kind in library.DataFrame.__mro__[:-1]:
            patches.look_at(kind, name, _written)
    patches.look_at(library, "write_table", _written)


def _read(_result: Any, *args: Any, **kwargs: Any) -> None:
    for source in _sources(args, kwargs):
        reference = file_reference(source)
        if reference:
            reads(reference)


def _written(_result: Any, _table: Any, *args: Any, **kwargs: Any) -> None:
    for target in _sources(args, kwargs):
        reference = file_reference(target)
        if reference:
            writes(reference)


def _sources(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """What a call names as its file or files: the first argument, by position or by name."""
    first = args[0] if args else next((kwargs[name] for name in _PATH_NAMES if name in kwargs), None)
    return list(first) if isinstance(first, list | tuple) else [first]
