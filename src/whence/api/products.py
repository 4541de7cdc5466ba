"""Products and the figures by which they are judged, as files state them, with the part of the graph they rest on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from fastapi import APIRouter
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.imports import read_sources
from whence.api.resolve import with_versions
from whence.api.window import Window
from whence.declare.statements import Product, Source
from whence.errors import NotFound
from whence.kpis.figures import METRICS
from whence.model.delta import Entity
from whence.store.protocol import MAX_NODES, ClosureQuery, GraphReader
from whence.tokens import Scope

_FIGURES = frozenset(metric.name for metric in METRICS)

router = APIRouter(prefix="/api/v1/products", tags=["kpis"], dependencies=[needs(Scope.READ)])


class ProductKpiJson(TypedDict):
    """One figure of a product; ``driven_by`` names figures of the pillars, all of them where it is empty.

    ``unknown`` are those of its names that no figure bears.
    """

    name: str
    unit: str | None
    target: str | None
    url: str | None
    description: str | None
    driven_by: list[str]
    unknown: list[str]


class ProductJson(TypedDict):
    """One product, and where it is registered."""

    name: str
    owner: str | None
    things: list[str]
    kpis: list[ProductKpiJson]
    source: str
    file: str
    line: int


class ProductsJson(TypedDict):
    """All products, by name; one that several files register comes once for each."""

    items: list[ProductJson]


class Footing(NamedTuple):
    """A product, and the entities that it rests on: its things, and all that they depend on."""

    product: Product
    keys: frozenset[str]


@router.get("")
async def list_products(context: Ctx) -> ProductsJson:
    """Every product that is registered."""
    sources = await read_sources(context.store)
    found = [_json(source, product) for source in sources for product in source.statements.products]
    return {"items": sorted(found, key=lambda one: (one["name"], one["source"]))}


async def read_footings(
    reader: GraphReader, sources: Iterable[Source], window: Window, only: str | None
) -> list[Footing]:
    """Products with what they rest on in a window. Cost: one bounded walk each.

    Args:
        reader: The store.
        sources: What files state.
        window: When dependencies count.
        only: Name of one product; None: all.

    Raises:
        NotFound: There is no product of that name.
    """
    registered = [one for source in sources for one in source.statements.products]
    found = [one for one in registered if only in (None, one.name)]
    if only is not None and not found:
        names = ", ".join(sorted({one.name for one in registered})) or "none"
        raise NotFound(f"there is no product {only[:100]!r}; there are {names}")
    return [Footing(one, await _rests_on(reader, one, window)) for one in found]


async def _rests_on(reader: GraphReader, product: Product, window: Window) -> frozenset[str]:
    entered = [entity for name in product.things for entity in await _meant(reader, name)]
    query = ClosureQuery(
        roots=tuple([key for entity in entered for key in await with_versions(reader, entity)]),
        from_ns=window.from_ns,
        to_ns=window.to_ns,
        environment=window.environment,
        max_nodes=MAX_NODES,
        known_ns=window.known_ns,
    )
    graph = await reader.upstream(query)
    return frozenset(one.base for one in (*graph.entities.values(), *entered))


async def _meant(reader: GraphReader, name: str) -> Sequence[Entity]:
    return await reader.entities([name]) if "#" in name else await reader.named(name)


def driven(footings: Iterable[Footing], metric: str, subjects: Collection[str]) -> list[tuple[str, str]]:
    """Product and figure of it, for all that a figure of a pillar drives.

    Args:
        footings: Products.
        metric: Name of the figure.
        subjects: Entities that its facts are of.
    """
    return [
        (product.name, kpi.name)
        for product, keys in footings
        if not keys.isdisjoint(subjects)
        for kpi in product.kpis
        if not kpi.driven_by or metric in kpi.driven_by
    ]


def _json(source: Source, product: Product) -> ProductJson:
    return {
        "name": product.name,
        "owner": product.owner or None,
        "things": list(product.things),
        "kpis": [
            {
                "name": one.name,
                "unit": one.unit or None,
                "target": one.target or None,
                "url": one.url or None,
                "description": one.description or None,
                "driven_by": list(one.driven_by),
                "unknown": sorted(set(one.driven_by) - _FIGURES),
            }
            for one in product.kpis
        ],
        "source": source.name,
        "file": product.file,
        "line": product.line,
    }
