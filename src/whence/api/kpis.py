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
from whence.api.undeclared import Owners
from whence.api.window import WindowDep
from whence.declare.declared import Declared
from whence.errors import NotFound
from whence.kpis.figures import METRICS, Fact, Figure, Pillar, Span, figure
from whence.model.times import format_time
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1/kpis", tags=["kpis"], dependencies=[needs(Scope.READ)])

Team = Annotated[str | None, Query(max_length=256, description="Only what this owner has.")]


class FigureJson(TypedDict):
    """One figure. ``value``: a count, a share, or the median; null where ``reason`` says that there is too little."""

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
    context: Ctx, window: WindowDep, request: Request, team: Team = None, pillar: Pillar | None = None
) -> FiguresJson:
    """Every figure in a window beside the window before, for everybody and for each team."""
    found = await read_facts(context.store, window)
    owned = await _owned(context, found.facts)
    span = Span(window.from_ns, window.to_ns)
    facts = _by_team_and_metric(owned)
    teams = sorted(filter(None, facts)) if team is None else [team]
    metrics = [one for one in METRICS if pillar in (None, one.pillar)]
    figures = [figure(one, facts[None][one.name], span) for one in metrics] if team is None else []
    for name in teams:
        theirs = facts[name]
        figures += [figure(one, theirs[one.name], span, name) for one in metrics if theirs[one.name] or team]
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in ("team", "pillar")]
    return {"items": [_json(one, asked) for one in figures], "teams": teams, "truncated": found.truncated}


@router.get("/{name}")
async def read_figure_facts(name: str, context: Ctx, window: WindowDep, team: Team = None) -> FactsJson:
    """The facts behind one figure."""
    if name not in {metric.name for metric in METRICS}:
        raise NotFound(f"there is no figure {name[:100]!r}; there are {', '.join(one.name for one in METRICS)}")
    found = await read_facts(context.store, window)
    span = Span(window.from_ns, window.to_ns)
    behind = [one for one in found.facts if one.metric == name and span.holds(one.at_ns)]
    owned = [(fact, owner) for fact, owner in await _owned(context, behind) if team in (None, owner)]
    owned.sort(key=lambda item: (-item[0].at_ns, item[0].subject, item[0].detail))
    return {"items": [_fact(fact, owner) for fact, owner in owned], "truncated": found.truncated}


def _by_team_and_metric(owned: Iterable[tuple[Fact, str | None]]) -> dict[str | None, dict[str, list[Fact]]]:
    """Facts by owner and metric; those of everybody under None."""
    found: dict[str | None, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact, owner in owned:
        found[None][fact.metric].append(fact)
        if owner is not None:
            found[owner][fact.metric].append(fact)
    return found


async def _owned(context: Ctx, facts: Iterable[Fact]) -> Sequence[tuple[Fact, str | None]]:
    facts = list(facts)
    declared = Declared(await read_sources(context.store), sorted({one.subject for one in facts}))
    owners = Owners(context.store, declared)
    await owners.learn(one.subject for one in facts)
    return [(one, await owners.of(one.subject)) for one in facts]


def _json(one: Figure, asked: Sequence[tuple[str, str]]) -> FigureJson:
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
