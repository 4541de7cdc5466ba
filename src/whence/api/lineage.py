"""OpenLineage in: one event or a batch, as its clients send them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.errors import InvalidQuery
from whence.intake.openlineage import event_delta
from whence.model.delta import GraphDelta, merge_all
from whence.tokens import Scope

MAX_EVENTS = 10_000

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
