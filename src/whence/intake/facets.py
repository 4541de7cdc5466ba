"""OpenLineage facets, each read to the few fields that the graph keeps. SQL, source code and variables are not read.

A facet that has another shape than its schema says counts as absent: producers differ, and one odd facet must not cost
the event that carries it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import NamedTuple

from whence.intake.fields import MAX_VALUE_CHARS, Json, as_count, as_list, as_map, as_number, as_text
from whence.model.columns import ANY_ORIGIN, COLUMN_KIND, COLUMN_PREFIX
from whence.model.kinds import EntityKind
from whence.model.profile import ColumnProfile, SnapshotProfile
from whence.model.refs import Ref, is_mutable_version, make_ref

MAX_COLUMNS = 500
_STORAGE_VERSION_KINDS = {"iceberg": "iceberg", "delta": "delta"}
_STATED_VERSION_KINDS = frozenset(
    [
        "sha256",
        "md5",
        "git",
        "lakefs",
        "iceberg",
        "delta",
        "s3",
        "gcs",
        "etag",
        "version",
        "offset",
        "lsn",
        "txid",
        "time",
        "run",
        "fingerprint",
    ]
)
"""Kinds that a version may name itself, as ``sha256:...``; OpenLineage has one text for all of them."""
_SNAPSHOT_FACETS = {"icebergScanReport": "iceberg", "icebergCommitReport": "iceberg"}


class Dataset(NamedTuple):
    """An input, an output, or the subject of a dataset event."""

    ref: Ref
    """Without version."""
    kind: EntityKind
    """Dataset, or model where the facets call it one."""
    facets: Json
    """Facets of the dataset and, for an input or output, of its part in the run."""


def kind_of(facets: Json) -> EntityKind:
    """Model where ``datasetType`` says so, else dataset."""
    declared = as_text(as_map(facets.get("datasetType")).get("datasetType"))
    return EntityKind.MODEL if declared == "MODEL" else EntityKind.DATASET


def version_of(dataset: Dataset) -> Ref | None:
    """The version that the event names; its kind follows from storage and from who reports the snapshot."""
    for name, version_kind in _SNAPSHOT_FACETS.items():
        snapshot = as_text(as_map(dataset.facets.get(name)).get("snapshotId"))
        if snapshot:
            return dataset.ref.at(version_kind, snapshot)
    version = as_text(as_map(dataset.facets.get("version")).get("datasetVersion"))
    if version is None or is_mutable_version(version):
        return None
    kind, _, rest = version.partition(":")
    if rest and kind in _STATED_VERSION_KINDS:
        return dataset.ref.at(kind, rest)
    if dataset.kind is EntityKind.MODEL:
        return dataset.ref.at("version", version)
    layer = as_text(as_map(dataset.facets.get("storage")).get("storageLayer")) or ""
    return dataset.ref.at(_STORAGE_VERSION_KINDS.get(layer.lower(), "opaque"), version)


def dataset_attributes(facets: Json) -> dict[str, str | None]:
    """What is known of a dataset, whatever its version."""
    storage = as_map(facets.get("storage"))
    return {
        "owner": _owners(facets),
        "tags": _tags(facets),
        "symlinks": " ".join(str(ref) for ref in _symlinks(facets)),
        "storage.layer": as_text(storage.get("storageLayer")),
        "storage.format": as_text(storage.get("fileFormat")),
        "description": as_text(as_map(facets.get("documentation")).get("description")),
        "lifecycle": lifecycle(facets),
        **column_origins(facets),
    }


def version_attributes(facets: Json) -> dict[str, str | None]:
    """What is known of one version of a dataset."""
    return {"schema.hash": schema_hash(facets), "failed_assertions": _failed_assertions(facets)}


def job_attributes(facets: Json) -> dict[str, str | None]:
    """What is known of a job, whatever its run."""
    kind = as_map(facets.get("jobType"))
    code = as_map(facets.get("sourceCodeLocation"))
    return {
        "owner": _owners(facets),
        "tags": _tags(facets),
        "integration": as_text(kind.get("integration")),
        "job.type": as_text(kind.get("jobType")),
        "processing.type": as_text(kind.get("processingType")),
        "repository": as_text(code.get("repoUrl")) or as_text(code.get("url")),
        "description": as_text(as_map(facets.get("documentation")).get("description")),
    }


def run_attributes(state: str, job_facets: Json, run_facets: Json) -> dict[str, str | None]:
    """What is known of one run: how it went, which code it ran, what started it."""
    code = as_map(job_facets.get("sourceCodeLocation"))
    engine = as_map(run_facets.get("processing_engine"))
    nominal = as_map(run_facets.get("nominalTime"))
    error = as_text(as_map(run_facets.get("errorMessage")).get("message")) or ""
    return {
        "state": state.lower(),
        "revision": as_text(code.get("version")),
        "branch": as_text(code.get("branch")),
        "pull_request": as_text(code.get("pullRequestNumber")),
        "nominal_start": as_text(nominal.get("nominalStartTime")),
        "engine": " ".join(filter(None, (as_text(engine.get("name")), as_text(engine.get("version"))))),
        "parent": _parent(run_facets),
        "error": error.partition("\n")[0][:200],
    }


def lifecycle(facets: Json) -> str | None:
    """What happened to the dataset as a whole: ALTER, CREATE, DROP, OVERWRITE, RENAME, TRUNCATE."""
    return as_text(as_map(facets.get("lifecycleStateChange")).get("lifecycleStateChange"))


def schema_hash(facets: Json) -> str | None:
    """Digest of names and types, nested ones too; the order of columns does not matter. None without a schema."""
    fields = _schema_fields(as_map(facets.get("schema")).get("fields"))
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:16] if fields else None


def profile_of(version: str, dataset: Dataset, at_ns: int) -> SnapshotProfile | None:
    """Profile of the snapshot with this key, or None where the event measured nothing."""
    metrics = as_map(dataset.facets.get("dataQualityMetrics"))
    written = as_map(dataset.facets.get("outputStatistics"))
    rows = as_count(metrics.get("rowCount"))
    size = as_count(metrics.get("bytes"))
    profile = SnapshotProfile(
        version=version,
        dataset=str(dataset.ref),
        at_ns=at_ns,
        rows=rows if rows is not None else as_count(written.get("rowCount")),
        bytes=size if size is not None else as_count(written.get("size")),
        schema_hash=schema_hash(dataset.facets),
        columns=tuple(_columns(metrics, rows)),
    )
    measured = profile.columns or any(one is not None for one in (profile.rows, profile.bytes, profile.schema_hash))
    return profile if measured else None


def named(record: Json) -> Ref | None:
    """The dataset or job that a facet names, or None where it does not say."""
    namespace, name = as_text(record.get("namespace")), as_text(record.get("name"))
    return make_ref(namespace, name) if namespace and name else None


def explicit_inputs(facet: Json) -> Iterator[tuple[str, Ref]]:
    """Inputs in the ``lineage`` facet of a dataset, or one entry of a job's: ("DATASET" or "JOB", reference)."""
    records = as_list(facet.get("inputs"))
    for field in as_map(facet.get("fields")).values():
        records = records + as_list(as_map(field).get("inputs"))
    for record in map(as_map, records):
        ref = named(record)
        if ref is not None:
            yield as_text(record.get("type")) or "DATASET", ref


def column_inputs(facets: Json) -> set[Ref]:
    """Datasets that ``columnLineage`` names as origin of any column."""
    facet = as_map(facets.get("columnLineage"))
    records = as_list(facet.get("dataset"))
    for field in as_map(facet.get("fields")).values():
        records = records + as_list(as_map(field).get("inputFields"))
    return {ref for ref in (named(as_map(record)) for record in records) if ref is not None}


def column_origins(facets: Json) -> dict[str, str]:
    """Where each column comes from: ``column.{name}`` to references of kind ``column``, or of whole datasets.

    A column with more origins than an attribute holds comes from ``ANY_ORIGIN``: a part of the list would say that the
    rest doesn't matter.
    """
    indirect = [as_map(one) for one in as_list(as_map(facets.get("columnLineage")).get("dataset"))]
    found: dict[str, str] = {}
    for name, inputs in _column_inputs(facets):
        origins = sorted({str(ref) for ref in map(_origin, (*inputs, *indirect)) if ref is not None})
        text = " ".join(origins)
        if origins and len(found) < MAX_COLUMNS:
            found[f"{COLUMN_PREFIX}{name}"] = text if len(text) <= MAX_VALUE_CHARS else ANY_ORIGIN
    return found


def _column_inputs(facets: Json) -> Iterator[tuple[str, list[Json]]]:
    for facet, inputs in (("columnLineage", "inputFields"), ("lineage", "inputs")):
        for name, field in as_map(as_map(facets.get(facet)).get("fields")).items():
            yield name, [as_map(one) for one in as_list(as_map(field).get(inputs))]


def _origin(record: Json) -> Ref | None:
    ref, column = named(record), as_text(record.get("field"))
    return ref.at(COLUMN_KIND, column) if ref is not None and column is not None else ref


def _owners(facets: Json) -> str:
    owners = as_list(as_map(facets.get("ownership")).get("owners"))
    return ", ".join(sorted(filter(None, (as_text(as_map(owner).get("name")) for owner in owners))))


def _tags(facets: Json) -> str:
    """Tags of a dataset or job, and of single columns: what holds a column bears its label."""
    tags = [as_map(tag) for tag in as_list(as_map(facets.get("tags")).get("tags"))]
    pairs = {(as_text(tag.get("key")), as_text(tag.get("value"))) for tag in tags}
    return " ".join(sorted(f"{key}={value}" if value else key for key, value in pairs if key))


def _symlinks(facets: Json) -> list[Ref]:
    records = as_list(as_map(facets.get("symlinks")).get("identifiers"))
    return sorted({ref for ref in (named(as_map(record)) for record in records) if ref is not None})


def _parent(run_facets: Json) -> str | None:
    parent = as_map(run_facets.get("parent"))
    job = named(as_map(parent.get("job")))
    run_id = as_text(as_map(parent.get("run")).get("runId"))
    return str(job.at("run", run_id)) if job is not None and run_id else None


def _failed_assertions(facets: Json) -> str:
    failed = set()
    for assertion in map(as_map, as_list(as_map(facets.get("dataQualityAssertions")).get("assertions"))):
        if assertion.get("success") is False:
            column = as_text(assertion.get("column"))
            failed.add(f"{as_text(assertion.get('assertion')) or 'assertion'}{f'({column})' if column else ''}")
    return ", ".join(sorted(failed))


def _schema_fields(fields: object) -> list[list[object]]:
    rows: list[list[object]] = []
    for field in map(as_map, as_list(fields)):
        name, kind = as_text(field.get("name")) or "", (as_text(field.get("type")) or "").lower()
        rows.append([name, kind, _schema_fields(field.get("fields"))])
    return sorted(rows, key=str)


def _columns(metrics: Json, rows: int | None) -> Iterator[ColumnProfile]:
    for name, column in list(as_map(metrics.get("columnMetrics")).items())[:MAX_COLUMNS]:
        record = as_map(column)
        nulls, count = as_count(record.get("nullCount")), as_number(record.get("count"))
        total = as_number(record.get("sum"))
        yield ColumnProfile(
            name=name,
            null_rate=min(1.0, nulls / rows) if nulls is not None and rows else None,
            distinct=as_count(record.get("distinctCount")),
            minimum=as_number(record.get("min")),
            maximum=as_number(record.get("max")),
            mean=total / count if total is not None and count else None,
        )
