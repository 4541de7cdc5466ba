"""Figures by pillar, team and window, each of which leads to its facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.imports import read_sources
from whence.api.kpi_facts import read_facts
from whence.api.products import Footing, driven, read_footings
from whence.api.undeclared import Owners
from whence.api.window import Window, WindowDep
from whence.declare.declared import Declared
from whence.errors import NotFound
from whence.kpis.figures import METRICS, Fact, Figure, Pillar, Span, figure
from whence.model.times import format_time
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1/kpis", tags=["kpis"], dependencies=[needs(Scope.READ)])

Team = Annotated[str | None, Query(max_length=256, description="Only what this owner has.")]
Product = Annotated[str | None, Query(max_length=256, description="Only what this product rests on.")]
_Owned = tuple[Fact, str | None]
"""A fact, and who owns what it is of."""


class DrivenJson(TypedDict):
    """A figure of a product."""

    product: str
    kpi: str


class FigureJson(TypedDict):
    """One figure. ``value``: a count, a share, or the median; null where ``reason`` says that there is too little.

    ``trend`` is the value of each sixth of the window; ``drives`` are the figures of products that it moves.
    """

    pillar: str
    name: str
    meaning: str
    form: str
    unit: str
    team: str | None
    facts: int
    value: float | None
    p90: float | None
    p95: float | None
    before: float | None
    trend: list[float | None]
    drives: list[DrivenJson]
    reason: str | None
    facts_url: str


class FiguresJson(TypedDict):
    """Figures of everybody, then of each team. ``truncated``: there are more entities than were looked at."""

    items: list[FigureJson]
    teams: list[str]
    truncated: bool


class FactJson(TypedDict):
    """One fact behind a figure."""

    subject: str
    owner: str | None
    at: str
    value: float
    detail: str


class FactsJson(TypedDict):
    """The facts of one figure, the latest first."""

    items: list[FactJson]
    truncated: bool


@router.get("")
async def read_figures(
    context: Ctx,
    window: WindowDep,
    request: Request,
    team: Team = None,
    product: Product = None,
    pillar: Pillar | None = None,
) -> FiguresJson:
    """Every figure in a window beside the window before, for everybody and for each team."""
    owned, truncated, footings = await _owned_facts(context, window, product)
    facts = _by_team_and_metric(owned)
    teams = sorted(filter(None, facts)) if team is None else [team]
    span = Span(window.from_ns, window.to_ns)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in ("team", "pillar")]
    items = []
    for who in (None, *teams) if team is None else teams:
        for metric in METRICS:
            behind = facts[who][metric.name]
            if pillar in (None, metric.pillar) and (behind or who is None or team):
                subjects = {one.subject for one in behind if span.holds(one.at_ns)}
                drives = driven(footings, metric.name, subjects)
                items.append(_json(figure(metric, behind, span, who), drives, asked))
    return {"items": items, "teams": teams, "truncated": truncated}


@router.get("/{name}")
async def read_figure_facts(
    name: str, context: Ctx, window: WindowDep, team: Team = None, product: Product = None
) -> FactsJson:
    """The facts behind one figure."""
    if name not in {metric.name for metric in METRICS}:
        raise NotFound(f"there is no figure {name[:100]!r}; there are {', '.join(one.name for one in METRICS)}")
    found, truncated, _ = await _owned_facts(context, window, product)
    span = Span(window.from_ns, window.to_ns)
    owned = [(fact, owner) for fact, owner in found if fact.metric == name and span.holds(fact.at_ns)]
    owned = [(fact, owner) for fact, owner in owned if team in (None, owner)]
    owned.sort(key=lambda item: (-item[0].at_ns, item[0].subject, item[0].detail))
    return {"items": [_fact(fact, owner) for fact, owner in owned], "truncated": truncated}


async def _owned_facts(
    context: Ctx, window: Window, product: str | None
) -> tuple[Sequence[_Owned], bool, Sequence[Footing]]:
    """Facts with their owners, whether there are more, and the products; of one product if one is named."""
    sources = await read_sources(context.store)
    footings = await read_footings(context.store, sources, window, product)
    facts, truncated = await read_facts(context.store, window)
    if product is not None:
        keys = {key for one in footings for key in one.keys}
        facts = tuple(one for one in facts if one.subject in keys)
    owners = Owners(context.store, Declared(sources, sorted({one.subject for one in facts})))
    await owners.learn(one.subject for one in facts)
    return [(one, await owners.of(one.subject)) for one in facts], truncated, footings


def _by_team_and_metric(owned: Iterable[_Owned]) -> dict[str | None, dict[str, list[Fact]]]:
    """Facts by owner and metric; those of everybody under None."""
    found: dict[str | None, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact, owner in owned:
        found[None][fact.metric].append(fact)
        if owner is not None:
            found[owner][fact.metric].append(fact)
    return found


def _json(one: Figure, drives: Iterable[tuple[str, str]], asked: Sequence[tuple[str, str]]) -> FigureJson:
    metric = one.metric
    parameters = [*asked, *([("team", one.team)] if one.team else [])]
    query = f"?{urlencode(parameters)}" if parameters else ""
    return {
        "pillar": metric.pillar.value,
        "name": metric.name,
        "meaning": metric.meaning,
        "form": metric.form.value,
        "unit": metric.unit,
        "team": one.team,
        "facts": one.facts,
        "value": one.value,
        "p90": one.p90,
        "p95": one.p95,
        "before": one.before,
        "trend": list(one.trend),
        "drives": [{"product": product, "kpi": kpi} for product, kpi in drives],
        "reason": one.reason or None,
        "facts_url": f"/api/v1/kpis/{metric.name}{query}",
    }


def _fact(fact: Fact, owner: str | None) -> FactJson:
    return {
        "subject": fact.subject,
        "owner": owner,
        "at": format_time(fact.at_ns),
        "value": fact.value,
        "detail": fact.detail,
    }
