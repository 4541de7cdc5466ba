"""Is it alive, is it ready, what are its numbers."""

from __future__ import annotations

from fastapi import APIRouter, Response

from whence.api.access import needs
from whence.api.context import Ctx
from whence.errors import StoreError, StoreUnavailable
from whence.metrics import CONTENT_TYPE, Sample, counter, gauge, render
from whence.tokens import Scope

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(context: Ctx) -> dict[str, str]:
    """Whether all ports serve and the store is reachable; 503 until then."""
    if context.ingest is not None and not context.ingest.is_ready():
        raise StoreUnavailable("the receivers are not ready yet")
    await context.store.ping()
    return {"status": "ready"}


@router.get("/metrics", dependencies=[needs(Scope.READ)])
async def metrics(context: Ctx) -> Response:
    """All counters, in Prometheus text form; while the store is away, all but what only it knows."""
    try:
        rows = await context.store.counts()
    except StoreError:
        rows = None
    up = gauge("whence_store_up", "Whether the store answered just now.", Sample(rows is not None))
    stored = gauge(
        "whence_store_rows",
        "Rows in the store, by kind.",
        *(Sample(count, {"kind": kind}) for kind, count in sorted((rows or {}).items())),
    )
    rejections = counter(
        "whence_webhook_rejections_total",
        "Deliveries of webhooks that nobody vouched for.",
        *(Sample(count, {"source": source, "reason": why}) for (source, why), count in context.rejections.items()),
    )
    ingest = context.ingest.metrics() if context.ingest is not None else ()
    return Response(render([up, stored, rejections, *context.outbox.metrics(), *ingest]), media_type=CONTENT_TYPE)
