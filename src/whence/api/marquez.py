"""The graph in the words of Marquez, so that what reads lineage from there can read it from here. Pure.

Jobs and datasets are nodes, edges follow the data: from input to job, from job to output. Versions and runs stand
behind their entity, services count as jobs and models as datasets. What we do not keep (fields, run details) is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from typing_extensions import TypedDict

from whence.errors import InvalidQuery
from whence.model.delta import Entity, RelationKey
from whence.model.graph import Subgraph
from whence.model.kinds import VERSION_KINDS, EntityKind, RelationType
from whence.model.refs import Ref, make_ref, parse_ref
from whence.model.times import format_time

NODE_TYPES = {
    EntityKind.JOB: "JOB",
    EntityKind.SERVICE: "JOB",
    EntityKind.DATASET: "DATASET",
    EntityKind.MODEL: "DATASET",
}
RELATIONS = frozenset({RelationType.READS, RelationType.USES_MODEL, RelationType.PRODUCED_BY})

_ENTITY_KINDS = {version: kind for kind, version in VERSION_KINDS.items()}
_MAX_COLONS = 12


class EdgeJson(TypedDict):
    """The way of the data, by node id."""

    origin: str
    destination: str


class NodeJson(TypedDict):
    """A job or a dataset with the edges at it."""

    id: str
    type: str
    data: Mapping[str, Any]
    inEdges: list[EdgeJson]
    outEdges: list[EdgeJson]


class LineageJson(TypedDict):
    """All nodes, ordered by id."""

    graph: list[NodeJson]


def possible_refs(node_id: str) -> list[Ref]:
    """What ``type:namespace:name`` may stand for, likeliest first: both parts may hold colons.

    Raises:
        InvalidQuery: It has another form.
    """
    kind, _, rest = node_id.partition(":")
    cuts = [at for at, char in enumerate(rest) if char == ":" and 0 < at < len(rest) - 1]
    if kind not in ("dataset", "job") or not cuts:
        raise InvalidQuery("nodeId", "expected dataset:namespace:name or job:namespace:name")
    return [make_ref(rest[:at], rest[at + 1 :]) for at in cuts[: -_MAX_COLONS - 1 : -1]]


def lineage_json(parts: Iterable[Subgraph]) -> LineageJson:
    """Several pieces of the graph as one."""
    nodes: dict[str, NodeJson] = {}
    ids: dict[str, str] = {}
    edges: set[tuple[str, str]] = set()
    for part in parts:
        for entity in part.entities.values():
            node = _node(entity)
            if node is not None:
                ids[entity.key] = node["id"]
                if not entity.is_version or node["id"] not in nodes:
                    nodes[node["id"]] = node
        # Data flows to the dependent: from what is read to its reader, from a job to what it produced.
        edges |= {(ids[one.key.dst], ids[one.key.src]) for one in part.relations if _joins(one.key, ids)}
    for origin, destination in sorted(edges):
        edge: EdgeJson = {"origin": origin, "destination": destination}
        nodes[origin]["outEdges"].append(edge)
        nodes[destination]["inEdges"].append(edge)
    return {"graph": [nodes[node_id] for node_id in sorted(nodes)]}


def _joins(key: RelationKey, ids: Mapping[str, str]) -> bool:
    return key.type in RELATIONS and key.src in ids and key.dst in ids


def _node(entity: Entity) -> NodeJson | None:
    kind = _ENTITY_KINDS.get(entity.kind, entity.kind)
    node_type = NODE_TYPES.get(kind)
    if node_type is None:
        return None
    ref = parse_ref(entity.base)
    data = {
        "id": {"namespace": ref.namespace, "name": ref.name},
        "name": ref.name,
        "namespace": ref.namespace,
        "createdAt": format_time(entity.first_seen_ns),
        "updatedAt": format_time(entity.last_seen_ns),
        "description": entity.attribute("description"),
    }
    own = _job_data(entity, kind, ref) if node_type == "JOB" else _dataset_data(entity, ref)
    node_id = f"{node_type.lower()}:{ref.namespace}:{ref.name}"
    return {"id": node_id, "type": node_type, "data": data | own, "inEdges": [], "outEdges": []}


def _job_data(entity: Entity, kind: EntityKind, ref: Ref) -> dict[str, Any]:
    processing = "SERVICE" if kind is EntityKind.SERVICE else entity.attribute("processing.type")
    return {
        "type": processing or "BATCH",
        "simpleName": ref.name,
        "location": entity.attribute("repository"),
        "latestRun": None,
    }


def _dataset_data(entity: Entity, ref: Ref) -> dict[str, Any]:
    return {
        "type": "DB_TABLE",
        "physicalName": ref.name,
        "sourceName": ref.namespace,
        "fields": [],
        "tags": (entity.attribute("tags") or "").split(),
        "lastModifiedAt": None,
        "lastLifecycleState": entity.attribute("lifecycle") or "",
    }
