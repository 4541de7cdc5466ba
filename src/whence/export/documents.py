"""A graph as the documents of two standards: a bill of materials (CycloneDX 1.6) and lineage (OpenLineage events)."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from whence.export.things import Graph, Node
from whence.model.kinds import RelationType

_BOM_SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_JOB_EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent"
_PRODUCER = "https://whence.dev/export"
_COMPONENTS = {"model": "machine-learning-model", "dataset": "data", "external": "platform"}
_DATA = frozenset({"dataset", "model"})
_MADE_BY = RelationType.PRODUCED_BY.value
_TRAINED_ON = RelationType.TRAINED_ON.value
_READ = frozenset(one.value for one in (RelationType.READS, RelationType.CONSUMES, RelationType.USES_MODEL))


def bill_of_materials(graph: Graph) -> str:
    """Every entity as a component, and what it depends on; a model names the data that it was trained on."""
    needs: dict[str, list[str]] = defaultdict(list)
    trained: dict[str, list[str]] = defaultdict(list)
    for edge in graph.edges:
        needs[edge.dependent].append(edge.dependency)
        if _TRAINED_ON in edge.types:
            trained[edge.dependent].append(edge.dependency)
    document = {
        "$schema": _BOM_SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [_component(node, trained[node.key]) for node in graph.nodes],
        "dependencies": [{"ref": node.key, "dependsOn": needs[node.key]} for node in graph.nodes],
    }
    return _json(document)


def lineage_events(graph: Graph) -> str:
    """One event for each job or service that reads or makes data or models: what goes in, and what comes out."""
    nodes = {node.key: node for node in graph.nodes}
    inputs: dict[str, set[str]] = defaultdict(set)
    outputs: dict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        worker, data = edge.dependent, edge.dependency
        if nodes[worker].kind not in _DATA and nodes[data].kind in _DATA and _READ.intersection(edge.types):
            inputs[worker].add(data)
        elif nodes[worker].kind in _DATA and nodes[data].kind not in _DATA and _MADE_BY in edge.types:
            outputs[data].add(worker)
    return _json([_event(one, inputs[one], outputs[one], graph.at) for one in sorted({*inputs, *outputs})])


def _component(node: Node, trained_on: list[str]) -> dict[str, Any]:
    properties = [{"name": "whence:kind", "value": node.kind}]
    properties += [{"name": "whence:version", "value": key} for key in node.versions]
    if node.owner:
        properties.append({"name": "whence:owner", "value": node.owner})
    component: dict[str, Any] = {
        "type": _COMPONENTS.get(node.kind, "application"),
        "bom-ref": node.key,
        "name": node.name,
        "properties": properties,
    }
    if len(node.versions) == 1:
        component["version"] = node.versions[0].rpartition("@")[2]
    if trained_on:
        component["modelCard"] = {"modelParameters": {"datasets": [{"ref": key} for key in trained_on]}}
    return component


def _event(worker: str, inputs: set[str], outputs: set[str], at: str) -> dict[str, Any]:
    return {
        "eventTime": at,
        "producer": _PRODUCER,
        "schemaURL": _JOB_EVENT_SCHEMA,
        "job": _named(worker),
        "inputs": [_named(key) for key in sorted(inputs)],
        "outputs": [_named(key) for key in sorted(outputs)],
    }


def _named(key: str) -> dict[str, Any]:
    namespace, _, name = key.partition("#")
    return {"namespace": namespace, "name": name or namespace, "facets": {}}


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
