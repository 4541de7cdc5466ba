"""The graph for other tools: as a document, and as frames for Grafana's node graph panel."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Context, Ctx
from whence.api.graph import MAX_NODES, Depth, EntityParam
from whence.api.resolve import resolve, with_versions
from whence.api.window import Window, WindowDep
from whence.export import MEDIA_TYPES, Format, Graph, graph_of, written
from whence.model.times import format_time
from whence.store.protocol import ClosureQuery
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1", tags=["export"], dependencies=[needs(Scope.READ)])

_COLORS = {"model": "purple", "dataset": "green", "job": "orange"}


class Way(StrEnum):
    """Which way to walk."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


class FieldJson(TypedDict):
    """One column of a frame, as the node graph data source of Grafana asks for it."""

    field_name: str
    type: str


class FieldsJson(TypedDict):
    """Columns of both frames."""

    nodes_fields: list[FieldJson]
    edges_fields: list[FieldJson]


class NodeFrameJson(TypedDict):
    """A row of the frame of nodes."""

    id: str
    title: str
    subtitle: str
    mainstat: str
    color: str
    detail__owner: str


class EdgeFrameJson(TypedDict):
    """A row of the frame of edges."""

    id: str
    source: str
    target: str
    mainstat: str


class FramesJson(TypedDict):
    """Both frames."""

    nodes: list[NodeFrameJson]
    edges: list[EdgeFrameJson]


WayQuery = Annotated[Way, Query(description="What it needs, or what needs it.")]
_DOCUMENTS: dict[int | str, dict[str, Any]] = {200: {"content": {media: {} for media in MEDIA_TYPES.values()}}}


@router.get("/export", response_class=Response, responses=_DOCUMENTS)
async def export_graph(
    *,
    context: Ctx,
    entity: EntityParam,
    window: WindowDep,
    form: Annotated[Format, Query(alias="format")] = Format.MERMAID,
    way: WayQuery = Way.UPSTREAM,
    depth: Depth = 8,
) -> Response:
    """The graph around an entity in one of the formats; ``X-Truncated`` says that there is more."""
    graph, is_truncated = await _graph(context, entity, window, way, depth)
    headers = {"X-Truncated": "true"} if is_truncated else {}
    return Response(written(graph, form), media_type=MEDIA_TYPES[form], headers=headers)


@router.get("/grafana/api/health")
async def grafana_health() -> dict[str, str]:
    """What the data source asks first."""
    return {"status": "ok"}


@router.get("/grafana/api/graph/fields")
async def grafana_fields() -> FieldsJson:
    """Columns of the frames."""
    return {
        "nodes_fields": [{"field_name": name, "type": "string"} for name in NodeFrameJson.__annotations__],
        "edges_fields": [{"field_name": name, "type": "string"} for name in EdgeFrameJson.__annotations__],
    }


@router.get("/grafana/api/graph/data")
async def grafana_data(
    *, context: Ctx, entity: EntityParam, window: WindowDep, way: WayQuery = Way.UPSTREAM, depth: Depth = 4
) -> FramesJson:
    """The frames."""
    graph, _ = await _graph(context, entity, window, way, depth)
    return {
        "nodes": [
            {
                "id": node.key,
                "title": node.name,
                "subtitle": node.kind,
                "mainstat": f"{len(node.versions)} versions" if len(node.versions) != 1 else _version(node.versions[0]),
                "color": _COLORS.get(node.kind, "blue"),
                "detail__owner": node.owner or "",
            }
            for node in graph.nodes
        ],
        "edges": [
            {
                "id": f"{edge.dependent} {edge.dependency}",
                "source": edge.dependent,
                "target": edge.dependency,
                "mainstat": ", ".join(edge.types).lower(),
            }
            for edge in graph.edges
        ],
    }


async def _graph(context: Context, entity: str, window: Window, way: Way, depth: int) -> tuple[Graph, bool]:
    root = await resolve(context.store, "entity", entity)
    is_downstream = way is Way.DOWNSTREAM
    query = ClosureQuery(
        roots=await with_versions(context.store, root) if is_downstream else (root.key,),
        from_ns=window.from_ns,
        to_ns=window.to_ns,
        environment=window.environment,
        max_hops=depth,
        max_nodes=MAX_NODES,
        known_ns=window.known_ns,
    )
    found = await (context.store.downstream(query) if is_downstream else context.store.upstream(query))
    return graph_of(found, format_time(window.to_ns)), found.truncated


def _version(key: str) -> str:
    return key.rpartition("@")[2].partition(":")[2] or key
