"""The blast radius of a thing, of one version of it, or of a change of one column before it ships."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.graph import Depth, EntityParam, GraphJson, closure, graph_json
from whence.api.impact import Impact, impacts, message
from whence.api.imports import read_sources
from whence.api.resolve import resolve, with_versions
from whence.api.traffic import counted_from_ns, read_traffic
from whence.api.window import Window, WindowDep
from whence.declare.declared import Declared
from whence.declare.reach import Reach, reached
from whence.errors import InvalidQuery
from whence.model.columns import column_origins
from whence.model.delta import Entity
from whence.model.graph import Subgraph
from whence.model.times import format_time
from whence.store.protocol import GraphReader
from whence.store.rules import nearest_keys
from whence.tokens import Scope
from whence.wording import short

SCHEMA = "schema"
_NEAREST = 3

router = APIRouter(prefix="/api/v1", tags=["graph"], dependencies=[needs(Scope.READ)])


class ImpactJson(TypedDict):
    """An entity that is hit. ``undeclared`` holds those of ``through`` that no file says it needs.

    With ``if_changed``: ``known`` says that every step is known to use what changes, and ``columns`` are its own that
    change with it; null where it has none, or nobody knows.
    """

    entity: str
    kind: str
    hops: int
    calls: float
    calls_in: dict[str, float]
    environments: list[str]
    through: list[str]
    undeclared: list[str]
    owner: str | None
    criticality: str | None
    known: bool
    columns: list[str] | None


class DownstreamJson(GraphJson):
    """What depends on a thing, who owns that, and what to tell them. ``calls`` count from ``calls_since`` on.

    ``spared`` depends on the thing, but is known not to use what changes.
    """

    owners: list[str]
    impact: list[ImpactJson]
    spared: list[str]
    calls_since: str
    message: str


class _Blast(NamedTuple):
    subgraph: Subgraph
    reach: Mapping[str, Reach] | None
    """By entity; None where all of the root changes."""
    spared: Sequence[str]


@router.get("/downstream")
async def read_downstream(
    context: Ctx,
    entity: EntityParam,
    window: WindowDep,
    depth: Depth = 8,
    if_changed: Annotated[
        str | None,
        Query(
            pattern=f"^{SCHEMA}:.+$", max_length=256, description="Only what a change of one column, schema:name, hits."
        ),
    ] = None,
) -> DownstreamJson:
    """The blast radius: everything that depended on an entity (through any version of it) or on one version."""
    root = await resolve(context.store, "entity", entity)
    roots = await with_versions(context.store, root)
    whole = await context.store.downstream(closure(roots, window, depth))
    declared = Declared(await read_sources(context.store), sorted({one.base for one in whole.entities.values()}))
    column = if_changed.partition(":")[2] if if_changed is not None else None
    if column is not None:
        await _check_column(context.store, root, window, column, declared)
    blast = _blast(whole, declared, column)
    hit = impacts(blast.subgraph, await read_traffic(context.store, blast.subgraph.entities, window), declared)
    owners = {owner for owner in (one.attribute("owner") for one in blast.subgraph.entities.values()) if owner}
    known = {one.key for one in hit if blast.reach is None or blast.reach[one.key].is_known}
    what = f"**{short(root.key)}**" if column is None else f"Column **{column}** of **{short(root.key)}**"
    return {
        **graph_json(root, window, blast.subgraph),
        "owners": sorted(owners | {one.owner for one in hit if one.owner}),
        "impact": [_impact_json(one, known, blast.reach) for one in hit],
        "spared": list(blast.spared),
        "calls_since": format_time(counted_from_ns(window)),
        "message": message(what, hit, known),
    }


def _blast(whole: Subgraph, declared: Declared, column: str | None) -> _Blast:
    if column is None:
        return _Blast(whole, None, ())
    part, reach = reached(whole, declared, column)
    return _Blast(part, reach, sorted({one.base for one in whole.entities.values()} - reach.keys()))


async def _check_column(reader: GraphReader, root: Entity, window: Window, column: str, declared: Declared) -> None:
    """Refuse a column that a dataset is known not to have: a slip of the pen would seem to hit nobody."""
    profiles = await reader.profiles([root.base], window.to_ns, 1)
    measured = {one.name for profile in profiles for one in profile.columns}
    if not measured:
        return
    entity = await reader.entity(root.base) or root
    made = {name for name, _ in column_origins(entity)}
    said = {one.column for thing in declared.described(root.base) for one in thing.columns}
    names = measured | made | said
    if column.casefold() not in {name.casefold() for name in names}:
        similar = ", ".join(nearest_keys(column, sorted(names), _NEAREST))
        hint = f"; did you mean {similar}?" if similar else ""
        raise InvalidQuery("if_changed", f"{short(root.base)} has no column {column[:100]!r}{hint}")


def _impact_json(one: Impact, known: Collection[str], reach: Mapping[str, Reach] | None) -> ImpactJson:
    columns = None if reach is None else reach[one.key].columns
    return {
        "entity": one.key,
        "kind": one.kind,
        "hops": one.hops,
        "calls": one.calls,
        "calls_in": dict(one.calls_in),
        "environments": list(one.environments),
        "through": list(one.through),
        "undeclared": list(one.undeclared),
        "owner": one.owner,
        "criticality": one.criticality,
        "known": one.key in known,
        "columns": None if columns is None else sorted(columns),
    }
