"""Discovery: one search over what is observed and what is declared, and a card that says how a thing is used."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.cards import Usage, read_card
from whence.api.context import Ctx
from whence.api.finding import Hit, find_anything
from whence.api.imports import read_sources
from whence.api.resolve import resolve
from whence.api.shapes import EntityJson, entity_json
from whence.api.traffic import counted_from_ns
from whence.api.window import WindowDep
from whence.model.kinds import EntityKind
from whence.model.times import format_time
from whence.tokens import Scope

MOST_HITS = 200

router = APIRouter(prefix="/api/v1", tags=["catalogue"], dependencies=[needs(Scope.READ)])


class HitJson(TypedDict):
    """One thing found. ``match``: exact, prefix, word, owner, text or similar; no time for what was never seen."""

    key: str
    kind: str
    owner: str | None
    match: str
    description: str | None
    lifecycle: str | None
    last_seen_at: str | None


class HitsJson(TypedDict):
    """What a search found, best first."""

    items: list[HitJson]


class InUseJson(TypedDict):
    """The latest version in one environment."""

    environment: str | None
    version: str
    first_seen_at: str
    last_seen_at: str


class ConsumerJson(TypedDict):
    """Who uses it, and how much."""

    entity: str
    calls: float
    environments: list[str]
    owner: str | None
    declared: bool


class OperationJson(TypedDict):
    """One operation; latencies in milliseconds, null where nothing was measured."""

    operation: str
    requests: float
    errors: float
    p50_ms: float | None
    p95_ms: float | None


class FreshnessJson(TypedDict):
    """When the latest version came, and how often they come; ``every_seconds`` is null below three versions."""

    latest_at: str
    age_seconds: float
    every_seconds: float | None


class CardJson(TypedDict):
    """Everything that somebody needs before using a thing. Counts are of ``counted_from`` to the end of the window."""

    entity: EntityJson
    owner: str | None
    contact: str | None
    description: str | None
    lifecycle: str | None
    url: str | None
    labels: list[str]
    purposes: list[str]
    in_use: list[InUseJson]
    consumers: list[ConsumerJson]
    operations: list[OperationJson]
    freshness: FreshnessJson | None
    columns: list[str]
    signature: str | None
    how_to_use: str
    counted_from: str


@router.get("/search")
async def search_everything(
    context: Ctx,
    q: Annotated[str, Query(min_length=1, max_length=256, description="Words, their beginnings, or nearly so.")],
    kind: Annotated[list[EntityKind] | None, Query()] = None,
    owner: Annotated[str | None, Query(max_length=256)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_HITS)] = 20,
) -> HitsJson:
    """Services, models, datasets, jobs and what owners have: by reference, owner or description, also misspelt."""
    hits = await find_anything(context.store, await read_sources(context.store), q)
    wanted = [one for one in hits if (not kind or one.kind in kind) and owner in (None, one.owner)]
    return {"items": [_hit(one) for one in wanted[:limit]]}


@router.get("/card")
async def read_one_card(
    context: Ctx, window: WindowDep, entity: Annotated[str, Query(min_length=1, max_length=1024)]
) -> CardJson:
    """One thing: versions in use, consumers, operations, freshness, owner, and how to use it."""
    root = await resolve(context.store, "entity", entity)
    card = await read_card(context.store, await read_sources(context.store), root, window)
    return {
        "entity": entity_json(card.entity),
        "owner": card.owner,
        "contact": card.said("contact"),
        "description": card.said("description"),
        "lifecycle": card.said("lifecycle"),
        "url": card.said("url"),
        "labels": list(card.labels),
        "purposes": list(card.purposes),
        "in_use": [
            {
                "environment": one.key.environment or None,
                "version": one.key.dst,
                "first_seen_at": format_time(one.first_seen_ns),
                "last_seen_at": format_time(one.last_seen_ns),
            }
            for one in card.in_use
        ],
        "consumers": [
            {
                "entity": one.key,
                "calls": one.calls,
                "environments": list(one.environments),
                "owner": one.owner,
                "declared": not one.undeclared,
            }
            for one in card.consumers
        ],
        "operations": [_operation(one) for one in card.operations],
        "freshness": _freshness(card.version_times, context.clock()),
        "columns": list(card.columns),
        "signature": card.said("signature"),
        "how_to_use": card.how_to_use,
        "counted_from": format_time(counted_from_ns(window)),
    }


def _hit(hit: Hit) -> HitJson:
    return {
        "key": hit.key,
        "kind": hit.kind.value,
        "owner": hit.owner,
        "match": hit.match,
        "description": hit.description or None,
        "lifecycle": hit.lifecycle or None,
        "last_seen_at": None if hit.last_seen_ns is None else format_time(hit.last_seen_ns),
    }


def _operation(one: Usage) -> OperationJson:
    return {
        "operation": one.operation,
        "requests": one.requests,
        "errors": one.errors,
        "p50_ms": one.milliseconds(0.5),
        "p95_ms": one.milliseconds(0.95),
    }


def _freshness(times_ns: tuple[int, ...], now_ns: int) -> FreshnessJson | None:
    if not times_ns:
        return None
    gaps = sorted(later - earlier for earlier, later in zip(times_ns, times_ns[1:], strict=False))
    every = gaps[len(gaps) // 2] / 1e9 if len(gaps) > 1 else None
    return {
        "latest_at": format_time(times_ns[-1]),
        "age_seconds": (now_ns - times_ns[-1]) / 1e9,
        "every_seconds": every,
    }
