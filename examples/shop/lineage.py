"""What the jobs report beside their spans: one OpenLineage event for each run, with a profile of the data.

A span says which snapshot was read and written. What the snapshot looked like (rows, empty cells, means) is what tells
a broken one from a sound one later, and OpenLineage has the words for it.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

_WHENCE = os.environ.get("WHENCE_URL", "http://127.0.0.1:8484")
_PRODUCER = "https://example.com/shop"
_SPEC = "https://openlineage.io/spec"


def report_run(job: str, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> None:
    """Tell of one complete run. A job does not fail because nobody listens."""
    event = {
        "eventTime": datetime.now(UTC).isoformat(),
        "eventType": "COMPLETE",
        "producer": _PRODUCER,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": str(uuid4())},
        "job": {"namespace": "shop-jobs", "name": job},
        "inputs": inputs,
        "outputs": outputs,
    }
    body, headers = json.dumps(event).encode(), {"Content-Type": "application/json"}
    try:
        urlopen(Request(f"{_WHENCE}/api/v1/lineage", body, headers), timeout=3).close()  # noqa: S310 - our own address
    except OSError as error:
        print(f"lineage was not reported: {error}", file=sys.stderr)


def dataset(name: str, version: str, rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A snapshot, with its profile where the rows are given."""
    facets = {"version": _facet("DatasetVersionDatasetFacet", datasetVersion=version)}
    if rows:
        facets["schema"] = _facet("SchemaDatasetFacet", fields=[{"name": name} for name in rows[0]])
        metrics = {"rowCount": len(rows), "columnMetrics": {name: _column(rows, name) for name in rows[0]}}
        facets["dataQualityMetrics"] = _facet("DataQualityMetricsDatasetFacet", **metrics)
    return {"namespace": "file", "name": name, "facets": facets}


def model(name: str, version: str) -> dict[str, Any]:
    """A version of a model: to OpenLineage a dataset of type MODEL."""
    described = dataset(name, version)
    described["facets"]["datasetType"] = _facet("DatasetTypeDatasetFacet", datasetType="MODEL")
    return described


def _column(rows: list[dict[str, Any]], name: str) -> dict[str, float]:
    cells = [float(row[name]) for row in rows if row[name] not in ("", None)]
    counts = {"nullCount": len(rows) - len(cells), "count": len(cells), "distinctCount": len(set(cells))}
    return counts | ({"sum": sum(cells), "min": min(cells), "max": max(cells)} if cells else {})


def _facet(schema: str, **fields: Any) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": f"{_SPEC}/facets/1-0-0/{schema}.json", **fields}
