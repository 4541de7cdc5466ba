"""OpenLineage events: what leaves about runs and snapshots, and where it goes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from whence.model.names import INPUTS, MODELS, OUTPUTS, REPOSITORY, REVISION, SERVICE_NAMESPACE
from whence.sdk.active import Facets, Touched
from whence.sdk.guard import guarded
from whence.sdk.resource import process_resource
from whence.sdk.sender import send

PRODUCER = "https://pypi.org/project/whence"
_SPEC = "https://openlineage.io/spec"
_REF = re.compile(r"([^#]+)#([^@]+)(?:@([a-z0-9]+):(.+))?")
_STORAGE = frozenset({"iceberg", "delta"})
"""Kinds of version that a receiver tells by the storage layer."""


@guarded
def report_run(run: Touched, state: str, *, parent: Touched | None = None, error: BaseException | None = None) -> None:
    """Send one event of a run, with all that it touched so far.

    Args:
        run: The job and its run.
        state: START, COMPLETE, FAIL or ABORT.
        parent: The run that this one is part of.
        error: Why it failed; only its type is told, since its text may hold data.
    """
    resource = process_resource().attributes
    namespace = os.environ.get("OPENLINEAGE_NAMESPACE") or f"otel://{resource.get(SERVICE_NAMESPACE, '')}"
    run_facets: Facets = {}
    if parent is not None:
        job = {"namespace": namespace, "name": parent.job}
        run_facets["parent"] = facet("1-2-0/ParentRunFacet", run={"runId": parent.run_id}, job=job)
    if error is not None and state != "COMPLETE":
        message = type(error).__qualname__
        run_facets["errorMessage"] = facet("1-0-1/ErrorMessageRunFacet", message=message, programmingLanguage="PYTHON")
    _send(
        "RunEvent",
        eventType=state,
        run={"runId": run.run_id, "facets": run_facets},
        job={"namespace": namespace, "name": run.job, "facets": _job_facets(resource)},
        inputs=list(_datasets(run.references, INPUTS, MODELS)),
        outputs=list(_datasets(run.references, OUTPUTS)),
    )


@guarded
def report_snapshot(ref: str, facets: Facets) -> None:
    """Send what is known of one snapshot that was written outside of any run."""
    _send("DatasetEvent", dataset=_dataset(OUTPUTS, ref, facets))


def facet(schema: str, **fields: object) -> dict[str, Any]:
    """A facet of the specification, by ``<version>/<name>`` of its schema; fields that are None are left out."""
    version, name = schema.split("/")
    known = {key: value for key, value in fields.items() if value is not None}
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}", **known}


def _send(kind: str, **fields: object) -> None:
    if os.environ.get("OPENLINEAGE_DISABLED", "").lower() == "true":
        return
    event = {
        "eventTime": datetime.now(UTC).isoformat(),
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/{kind}",
        **fields,
    }
    url = os.environ.get("OPENLINEAGE_URL")
    endpoint, token = os.environ.get("OPENLINEAGE_ENDPOINT", "api/v1/lineage"), os.environ.get("OPENLINEAGE_API_KEY")
    if not url:
        url, endpoint = os.environ.get("WHENCE_URL", "http://127.0.0.1:8484"), "api/v1/lineage"
        token = os.environ.get("WHENCE_TOKEN")
    send(f"{url.rstrip('/')}/{endpoint.strip('/')}", json.dumps(event).encode(), token)


def _job_facets(resource: Mapping[str, Any]) -> Facets:
    facets = {"jobType": facet("2-0-4/JobTypeJobFacet", processingType="BATCH", integration="WHENCE", jobType="JOB")}
    repository = resource.get(REPOSITORY)
    if repository:
        facets["sourceCodeLocation"] = facet(
            "1-1-0/SourceCodeLocationJobFacet",
            type="git",
            url=repository,
            repoUrl=repository,
            version=resource.get(REVISION),
        )
    return facets


def _datasets(touched: Mapping[tuple[str, str], Facets], *attributes: str) -> Iterator[dict[str, Any]]:
    for (attribute, ref), facets in touched.items():
        if attribute in attributes:
            yield _dataset(attribute, ref, facets)


def _dataset(attribute: str, ref: str, facets: Facets) -> dict[str, Any]:
    match = _REF.fullmatch(ref)
    if match is None:
        raise ValueError(f"no reference: {ref!r}")
    namespace, name, kind, version = match.groups()
    is_model = attribute == MODELS or "datasetType" in facets
    known = dict(facets)
    if is_model:
        known["datasetType"] = facet("1-0-1/DatasetTypeDatasetFacet", datasetType="MODEL")
    if kind in _STORAGE:
        known["storage"] = facet("1-0-1/StorageDatasetFacet", storageLayer=kind)
    if version:
        is_implied = kind in _STORAGE or kind == ("version" if is_model else "opaque")
        text = unquote(version) if is_implied else f"{kind}:{unquote(version)}"
        known["version"] = facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=text)
    return {"namespace": unquote(namespace), "name": unquote(name), "facets": known}
