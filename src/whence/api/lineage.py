"""OpenLineage in, one event or a batch, as its clients send them; and lineage out, as Marquez tells it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.marquez import RELATIONS, LineageJson, lineage_json, possible_refs
from whence.api.resolve import NEAREST, with_versions
from whence.errors import EntityNotFound, InvalidQuery
from whence.intake.openlineage import event_delta
from whence.model.delta import Entity, GraphDelta, merge_all
from whence.model.times import NS_PER_SECOND
from whence.store.protocol import MAX_HOPS, ClosureQuery, GraphReader
from whence.tokens import Scope

MAX_EVENTS = 10_000
MAX_LINEAGE_NODES = 2_000

router = APIRouter(prefix="/api/v1/lineage", tags=["lineage"])


class BatchSummaryJson(TypedDict):
    """How many events of a batch were taken."""

    received: int
    successful: int
    failed: int


class FailedEventJson(TypedDict):
    """An event of a batch that was not taken."""

    index: int
    reason: str
    retriable: bool


class BatchJson(TypedDict):
    """The answer to a batch of which some events were not taken."""

    status: str
    summary: BatchSummaryJson
    failed_events: list[FailedEventJson]


@router.post("", status_code=200, dependencies=[needs(Scope.INGEST)])
async def post_event(event: Annotated[dict[str, Any], Body()], context: Ctx) -> Response:
    """Take one run, job or dataset event; durable once answered, and taking it twice changes nothing."""
    await context.store.upsert(event_delta(event, now_ns=context.clock()))
    return Response(status_code=200)


@router.get("", dependencies=[needs(Scope.READ)])
async def read_lineage(
    context: Ctx,
    node_id: Annotated[str, Query(alias="nodeId", max_length=2048, description="dataset:namespace:name, or job:...")],
    depth: Annotated[int, Query(ge=1, le=MAX_HOPS)] = MAX_HOPS,
) -> LineageJson:
    """Jobs and datasets that feed a node or are fed by it, at any time."""
    roots = await with_versions(context.store, await _node(context.store, node_id))
    query = ClosureQuery(
        roots, 0, context.clock() + NS_PER_SECOND, types=RELATIONS, max_hops=depth, max_nodes=MAX_LINEAGE_NODES
    )
    return lineage_json([await context.store.upstream(query), await context.store.downstream(query)])


@router.post("/batch", dependencies=[needs(Scope.INGEST)], responses={204: {}, 200: {"model": BatchJson}})
async def post_batch(events: Annotated[list[Any], Body(max_length=MAX_EVENTS)], context: Ctx) -> Any:
    """Take a list of events: 204 when all were taken, else 200 with those that were not."""
    deltas: list[GraphDelta] = []
    failed: list[FailedEventJson] = []
    for index, event in enumerate(events):
        try:
            deltas.append(event_delta(event, now_ns=context.clock()))
        except InvalidQuery as error:
            failed.append({"index": index, "reason": str(error), "retriable": False})
    if deltas:
        await context.store.upsert(merge_all(deltas))
    if not failed:
        return Response(status_code=204)
    summary: BatchSummaryJson = {"received": len(events), "successful": len(deltas), "failed": len(failed)}
    return BatchJson(status="partial_success", summary=summary, failed_events=failed)


async def _node(reader: GraphReader, node_id: str) -> Entity:
    refs = possible_refs(node_id)
    for ref in refs:
        entity = await reader.entity(str(ref))
        if entity is not None:
            return entity
    name = str(refs[0])
    raise EntityNotFound(name, await reader.nearest(name, NEAREST))
