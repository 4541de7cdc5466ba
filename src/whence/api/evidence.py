"""For auditors: which requests between two dates touched something whose ancestry holds a dataset or model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.resolve import resolve, with_versions
from whence.api.window import Window, WindowDep
from whence.governance.carrying import Arrival, carry
from whence.model.graph import ExposureRow, Subgraph
from whence.model.kinds import EntityKind
from whence.model.times import NS_PER_SECOND, format_time
from whence.store.protocol import MAX_HOPS, MAX_NODES, ClosureQuery, ExposureQuery, GraphReader
from whence.tokens import Scope

MOST_SERVICES = 200
_HOLDERS = frozenset({EntityKind.MODEL, EntityKind.MODEL_VERSION, EntityKind.DATASET, EntityKind.DATASET_VERSION})

router = APIRouter(prefix="/api/v1/evidence", tags=["policies"], dependencies=[needs(Scope.READ)])


class TouchedJson(TypedDict):
    """Requests into one operation that touched one version. ``path`` leads from that version to what was asked for."""

    service: str
    operation: str
    touched: str
    path: list[str]
    requests: float
    first_at: str
    last_at: str


class EvidenceJson(TypedDict):
    """All of it. Requests are weighted by sampling. ``truncated``: a bound cut off what was walked."""

    of: str
    items: list[TouchedJson]
    truncated: bool


@router.get("")
async def read_evidence(
    context: Ctx, window: WindowDep, entity: Annotated[str, Query(min_length=1, max_length=1024)]
) -> EvidenceJson:
    """Requests by service, operation and the version that they touched, over a dataset's or model's descendants."""
    root = await resolve(context.store, "entity", entity)
    below = await _below(context.store, await with_versions(context.store, root), window)
    arrivals = {one.node: one for one in carry(below, ()) if below.entities[one.node].kind in _HOLDERS}
    services = sorted({one.base for one in below.entities.values() if one.kind is EntityKind.SERVICE_VERSION})
    items: list[TouchedJson] = []
    for service in services[:MOST_SERVICES]:
        query = ExposureQuery(
            service=service,
            from_s=window.from_ns // NS_PER_SECOND,
            to_s=-(-window.to_ns // NS_PER_SECOND),
            nodes=tuple(arrivals),
            environment=window.environment,
            known_ns=window.known_ns,
        )
        items += _touched(await context.store.exposure_rows(query), arrivals)
    return {"of": root.key, "items": items, "truncated": below.truncated or len(services) > MOST_SERVICES}


async def _below(reader: GraphReader, roots: tuple[str, ...], window: Window) -> Subgraph:
    return await reader.downstream(
        ClosureQuery(
            roots=roots,
            from_ns=window.from_ns,
            to_ns=window.to_ns,
            environment=window.environment,
            max_hops=MAX_HOPS,
            max_nodes=MAX_NODES,
            known_ns=window.known_ns,
        )
    )


def _touched(rows: Iterable[ExposureRow], arrivals: dict[str, Arrival]) -> list[TouchedJson]:
    together: dict[tuple[str, str, str], list[ExposureRow]] = defaultdict(list)
    for row in rows:
        if row.node in arrivals and row.requests > 0:
            together[row.service, row.operation, row.node].append(row)
    return [
        {
            "service": service,
            "operation": operation,
            "touched": node,
            "path": list(arrivals[node].keys()),
            "requests": sum(row.requests for row in found),
            "first_at": format_time(min(row.start_s for row in found) * NS_PER_SECOND),
            "last_at": format_time(max(row.start_s for row in found) * NS_PER_SECOND),
        }
        for (service, operation, node), found in sorted(together.items())
    ]
