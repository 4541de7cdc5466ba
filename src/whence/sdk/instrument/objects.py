"""Objects of S3 and Google Cloud Storage through fsspec, by the version that the store gave them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from whence.sdk.instrument.files import named
from whence.sdk.instrument.patches import Patches
from whence.sdk.uses import reads, writes


def instrument(patches: Patches, library: ModuleType) -> None:
    """Look at files as they are opened for reading, and when the last of what was written is there."""
    if hasattr(library, "S3File"):
        patches.look_at(library.S3File, "__init__", _opened_in_s3)
        patches.look_at(library.S3File, "commit", _written_to_s3)
    else:
        patches.look_at(library.GCSFile, "__init__", _opened_in_gcs)
        patches.look_at(library.GCSFile, "_upload_chunk", _sent_to_gcs)


def _opened_in_s3(_result: None, file: Any, *_args: Any, **_kwargs: Any) -> None:
    if "r" in file.mode:
        reads(_s3_reference(file, file.details))


def _written_to_s3(_result: None, file: Any) -> None:
    writes(_s3_reference(file, {}))


def _opened_in_gcs(_result: None, file: Any, *_args: Any, **_kwargs: Any) -> None:
    if "r" in file.mode:
        reads(_gcs_reference(file, file.details))


def _sent_to_gcs(_result: object, file: Any, final: bool = False) -> None:
    if final and file.autocommit:
        writes(_gcs_reference(file, {}))


def _s3_reference(file: Any, details: dict[str, Any]) -> str:
    version, tag = file.version_id or details.get("VersionId"), str(details.get("ETag", "")).strip('"')
    if version and version != "null":
        return named(f"s3://{file.bucket}", file.key, f"s3:{version}")
    return named(f"s3://{file.bucket}", file.key, f"etag:{tag}" if tag else "")


def _gcs_reference(file: Any, details: dict[str, Any]) -> str:
    generation = file.generation or details.get("generation")
    return named(f"gs://{file.bucket}", file.key, f"gcs:{generation}" if generation else "")
