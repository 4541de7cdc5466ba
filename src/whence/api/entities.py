"""The catalogue: find services, models, datasets, jobs together, and look at one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.links import LinkJson, links_of
from whence.api.paging import Cursor, Limit, PageJson, page
from whence.api.resolve import resolve
from whence.api.shapes import EntityJson, entity_json
from whence.model.kinds import VERSION_KINDS, EntityKind
from whence.model.times import NS_PER_SECOND
from whence.store.protocol import SearchQuery
from whence.tokens import Scope

VERSIONS_SHOWN = 20
LINKED_NS = 3600 * NS_PER_SECOND

router = APIRouter(prefix="/api/v1/entities", tags=["entities"], dependencies=[needs(Scope.READ)])


class EntityDetailJson(EntityJson):
    """An entity with its latest versions, the latest first seen first; a version has none. Links show the last hour."""

    versions: list[EntityJson]
    links: list[LinkJson]


@router.get("")
async def search_entities(
    *,
    context: Ctx,
    request: Request,
    response: Response,
    q: Annotated[str, Query(max_length=256, description="Words that the reference must hold, in any case.")] = "",
    kind: Annotated[list[EntityKind] | None, Query(description="Versions only where a version kind is named.")] = None,
    owner: Annotated[str | None, Query(max_length=256)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageJson[EntityJson]:
    """Entities, ordered by reference."""
    query = SearchQuery(text=q, kinds=frozenset(kind or ()), owner=owner, limit=limit, cursor=cursor)
    found = await context.store.search(query)
    return page([entity_json(entity) for entity in found.items], found.cursor, request, response)


@router.get("/{ref:path}")
async def read_entity(ref: str, context: Ctx) -> EntityDetailJson:
    """One entity or version, by reference (percent-encoded in the path) or unique bare name."""
    entity = await resolve(context.store, "ref", ref)
    version_kind = VERSION_KINDS.get(entity.kind)
    versions: tuple[EntityJson, ...] = ()
    if version_kind is not None and not entity.is_version:
        query = SearchQuery(kinds=frozenset({version_kind}), base=entity.key, limit=VERSIONS_SHOWN)
        versions = tuple(entity_json(one) for one in (await context.store.search(query)).items)
    now = context.clock()
    links = links_of(context.settings, entity.key, now - LINKED_NS, now)
    return {**entity_json(entity), "versions": list(versions), "links": links}
