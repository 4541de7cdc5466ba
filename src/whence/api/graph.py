"""The graph: what a thing depends on with the changes there, and what differs between two times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.diffs import VersionShift, diff
from whence.api.resolve import resolve
from whence.api.shapes import (
    ChangeJson,
    EntityJson,
    RelationJson,
    change_json,
    entity_json,
    relation_json,
)
from whence.api.window import Window, WindowDep
from whence.errors import InvalidQuery
from whence.investigate import InvestigateOptions, upstream_changes
from whence.model.delta import Entity, Relation
from whence.model.graph import Subgraph
from whence.model.refs import MAX_REF_CHARS
from whence.model.times import format_time, parse_duration_ns
from whence.store.protocol import MAX_HOPS, ClosureQuery
from whence.tokens import Scope

MAX_NODES = 2_000

router = APIRouter(prefix="/api/v1", tags=["graph"], dependencies=[needs(Scope.READ)])

EntityParam = Annotated[
    str, Query(min_length=1, max_length=MAX_REF_CHARS, description="A reference, or a name that is unique.")
]
Depth = Annotated[int, Query(ge=1, le=MAX_HOPS, description="Hops at most.")]


class NodeJson(EntityJson):
    """An entity and its distance from the one that was asked for."""

    depth: int


WindowJson = TypedDict("WindowJson", {"entity": str, "from": str, "to": str, "environment": str | None})


class GraphJson(WindowJson):
    """Part of the graph; ``truncated`` says that there is more than is told."""

    entities: list[NodeJson]
    relations: list[RelationJson]
    truncated: bool


class UpstreamJson(GraphJson):
    """What a thing depends on, and what changed there, the latest first."""

    changes: list[ChangeJson]


class SideJson(TypedDict):
    """What is on one side only."""

    entities: list[EntityJson]
    relations: list[RelationJson]


class ShiftJson(TypedDict):
    """Versions in use at both times."""

    entity: str
    before: list[str]
    after: list[str]


class DiffJson(WindowJson):
    """What differs between the graph at ``from`` and at ``to``."""

    added: SideJson
    removed: SideJson
    versions: list[ShiftJson]
    truncated: bool


@router.get("/upstream")
async def read_upstream(context: Ctx, entity: EntityParam, window: WindowDep, depth: Depth = 8) -> UpstreamJson:
    """What an entity or version depended on in a window, across services, models and data, and what changed there."""
    root = await resolve(context.store, "entity", entity)
    subgraph, changes = await upstream_changes(
        context.store,
        root.key,
        window.from_ns,
        window.to_ns,
        environment=window.environment,
        known_ns=window.known_ns,
        options=InvestigateOptions(max_hops=depth, max_nodes=MAX_NODES),
    )
    return {**graph_json(root, window, subgraph), "changes": [change_json(change) for change in changes]}


@router.get("/diff")
async def read_diff(
    context: Ctx,
    entity: EntityParam,
    window: WindowDep,
    depth: Depth = 8,
    width: Annotated[str, Query(max_length=16, description="How far back a relation counts as in use.")] = "15m",
) -> DiffJson:
    """What an entity depended on at ``from``, compared with ``to``: came, went, changed version."""
    root = await resolve(context.store, "entity", entity)
    width_ns = _duration("width", width)
    then = window._replace(from_ns=max(0, window.from_ns - width_ns), to_ns=window.from_ns)
    now = window._replace(from_ns=max(0, window.to_ns - width_ns))
    before = await context.store.upstream(closure((root.key,), then, depth))
    after = await context.store.upstream(closure((root.key,), now, depth))
    found = diff(before, after)
    return {
        **_window_json(root, window),
        "added": _side(found.added, found.added_relations),
        "removed": _side(found.removed, found.removed_relations),
        "versions": [_shift(shift) for shift in found.shifts],
        "truncated": before.truncated or after.truncated,
    }


def closure(roots: tuple[str, ...], window: Window, depth: int) -> ClosureQuery:
    """A walk from some roots in a window."""
    return ClosureQuery(
        roots=roots,
        from_ns=window.from_ns,
        to_ns=window.to_ns,
        environment=window.environment,
        max_hops=depth,
        max_nodes=MAX_NODES,
        known_ns=window.known_ns,
    )


def _duration(field: str, text: str) -> int:
    try:
        return parse_duration_ns(text)
    except ValueError as error:
        raise InvalidQuery(field, str(error)) from None


def _window_json(root: Entity, window: Window) -> WindowJson:
    return {
        "entity": root.key,
        "from": format_time(window.from_ns),
        "to": format_time(window.to_ns),
        "environment": window.environment,
    }


def graph_json(root: Entity, window: Window, subgraph: Subgraph) -> GraphJson:
    """Entities, the nearest first, and relations of part of the graph."""
    nearest_first = sorted(subgraph.entities.values(), key=lambda one: (subgraph.depth.get(one.key, 0), one.key))
    return {
        **_window_json(root, window),
        "entities": [{**entity_json(one), "depth": subgraph.depth.get(one.key, 0)} for one in nearest_first],
        "relations": [relation_json(relation) for relation in subgraph.relations],
        "truncated": subgraph.truncated,
    }


def _side(entities: Iterable[Entity], relations: Iterable[Relation]) -> SideJson:
    return {
        "entities": [entity_json(entity) for entity in entities],
        "relations": [relation_json(relation) for relation in relations],
    }


def _shift(shift: VersionShift) -> ShiftJson:
    return {"entity": shift.entity, "before": list(shift.before), "after": list(shift.after)}
