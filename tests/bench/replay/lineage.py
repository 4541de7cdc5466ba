"""What a set knows of data and models, sent as a real system would tell it: on spans, or as OpenLineage events."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.replay.incidents import Incident
from tests.bench.replay.otlp import TRAINING_NS, training_request
from whence.model.refs import Ref, service_ref
from whence.model.times import format_time

MODELS_AT = "mlflow+https://models.example"
DATASETS_AT = "s3://lake"
TRAINED_BEFORE_NS = 6 * 3600 * 1_000_000_000
"""How long before the incident a model had been trained: the sets don't say."""
_SCHEMA = "https://openlineage.io/spec"
_PRODUCER = "https://example.org/replay"


def reference(node: str) -> str:
    """Reference of a set's node: ``model:x``, ``dataset:x``, or a service's bare name."""
    kind, colon, name = node.rpartition(":")
    if not colon:
        return str(service_ref("", name))
    return str(Ref(MODELS_AT if kind == "model" else DATASETS_AT, name))


def models_served(incident: Incident) -> Mapping[str, list[str]]:
    """References of the models that each service serves, by the service's name."""
    served: dict[str, list[str]] = defaultdict(list)
    for edge in incident.lineage:
        if edge.relation == "served_by":
            served[edge.target].append(reference(edge.source))
    return served


def training_requests(incident: Incident) -> Iterator[bytes]:
    """OTLP requests: one trace of one training job for each pair of dataset and model."""
    started_ns = incident.detected_ns - TRAINED_BEFORE_NS
    for edge in incident.lineage:
        if edge.relation == "trained_into":
            trace_id = hashlib.blake2b("/".join(edge).encode(), digest_size=16).digest()
            job = _job_name(edge.target)
            yield training_request(job, started_ns, trace_id, reference(edge.source), reference(edge.target))


def openlineage_events(incident: Incident) -> Iterator[dict[str, Any]]:
    """The same as OpenLineage: a completed run for each training, and each service as a job that reads its models."""
    finished_ns = incident.detected_ns - TRAINED_BEFORE_NS + TRAINING_NS
    for edge in incident.lineage:
        if edge.relation == "trained_into":
            yield {
                **_event("RunEvent", finished_ns),
                "eventType": "COMPLETE",
                "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(edge))), "facets": {}},
                "job": {"namespace": "training", "name": _job_name(edge.target), "facets": {}},
                "inputs": [_dataset(edge.source)],
                "outputs": [_dataset(edge.target)],
            }
        else:
            job = {"namespace": "otel://", "name": edge.target, "facets": {"jobType": _service_facet()}}
            yield {**_event("JobEvent", finished_ns), "job": job, "inputs": [_dataset(edge.source)], "outputs": []}


def _job_name(model: str) -> str:
    return f"train-{model.partition(':')[2]}"


def _event(kind: str, at_ns: int) -> dict[str, Any]:
    schema = f"{_SCHEMA}/2-0-2/OpenLineage.json#/$defs/{kind}"
    return {"eventTime": format_time(at_ns), "producer": _PRODUCER, "schemaURL": schema}


def _dataset(node: str) -> dict[str, Any]:
    namespace, _, name = reference(node).partition("#")
    facets = {}
    if node.startswith("model:"):
        schema = f"{_SCHEMA}/facets/1-0-1/DatasetTypeDatasetFacet.json"
        facets = {"datasetType": {"_producer": _PRODUCER, "_schemaURL": schema, "datasetType": "MODEL"}}
    return {"namespace": namespace, "name": name, "facets": facets}


def _service_facet() -> dict[str, str]:
    schema = f"{_SCHEMA}/facets/2-0-4/JobTypeJobFacet.json"
    kinds = {"processingType": "SERVICE", "integration": "OTEL", "jobType": "SERVICE"}
    return {"_producer": _PRODUCER, "_schemaURL": schema, **kinds}
