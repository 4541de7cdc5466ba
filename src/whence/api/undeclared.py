"""The report on undeclared dependencies, and everything else in which files and production differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Context, Ctx
from whence.api.differences import Differences, Usage, read_differences, read_usage
from whence.api.imports import read_sources
from whence.api.links import LinkJson, links_of_traces
from whence.api.paging import Cursor, Limit, PageJson, page
from whence.api.resolve import find
from whence.api.traffic import counted_from_ns
from whence.api.window import Window, WindowDep
from whence.declare.declared import Declared, Disagreement, Statement
from whence.declare.difference import REASONS, Finding, Status
from whence.model.times import format_time
from whence.settings import Settings
from whence.store.protocol import MAX_PAGE, GraphReader, SearchQuery
from whence.store.rules import decode_cursor, encode_cursor
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1", tags=["declarations"], dependencies=[needs(Scope.READ)])


class StatementJson(TypedDict):
    """Where a file states an edge."""

    source: str
    revision: str | None
    file: str
    line: int
    layer: str
    versions: list[str]


class FindingJson(TypedDict):
    """One difference between files and production. ``calls`` is null where calls are not counted.

    ``traces`` are ids of traces that used it, the latest first; none where only heartbeats tell of it, or none is of
    the window.
    """

    status: str
    dependent: str
    dependency: str
    environment: str | None
    types: list[str]
    first_seen_at: str | None
    last_seen_at: str | None
    calls: float | None
    errors: float | None
    traces: list[str]
    links: list[LinkJson]
    dependent_owner: str | None
    dependency_owner: str | None
    reason: str
    sentence: str
    versions: list[str]
    declared: list[StatementJson]


class ValueJson(TypedDict):
    """One side of a disagreement."""

    value: str
    source: str
    revision: str | None
    file: str
    line: int


class DisagreementJson(TypedDict):
    """Files that say different things of one subject."""

    subject: str
    field: str
    values: list[ValueJson]


class SharesJson(TypedDict):
    """Of the dependents seen, how many show calls, data accesses and models at all."""

    seen: int
    calls: int
    data: int
    models: int


class ReportJson(PageJson[FindingJson]):
    """One page of findings; counts, coverage and disagreements are of the whole report. Calls are of its last hours."""

    counts: dict[str, int]
    calls_since: str
    coverage: SharesJson
    disagreements: list[DisagreementJson]


@router.get("/undeclared")
@router.get("/dependencies")
async def read_report(
    *,
    context: Ctx,
    window: WindowDep,
    request: Request,
    response: Response,
    status: Annotated[list[Status] | None, Query(description="Only findings of these kinds.")] = None,
    entity: Annotated[str | None, Query(max_length=1024, description="Only where this one is at either end.")] = None,
    owner: Annotated[str | None, Query(max_length=256, description="Only where it owns either end.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ReportJson:
    """Dependencies that are observed but not declared, declared but not observed, or of an unexpected version."""
    report = await read_differences(context.store, window, await read_sources(context.store))
    chosen = [one for one in report.findings if not status or one.status in status]
    if entity is not None:
        known = await find(context.store, "entity", entity)
        key = known.base if known is not None else entity
        chosen = [one for one in chosen if key in (one.dependent, one.dependency)]
    owners = Owners(context.store, report.declared)
    if owner is not None:
        theirs = await owners.having(owner)
        chosen = [one for one in chosen if one.dependent in theirs or one.dependency in theirs]
    at = decode_cursor(cursor)[0] if cursor is not None else 0
    shown = chosen[at : at + limit]
    more = encode_cursor(at + limit, "") if len(chosen) > at + limit else None
    items = await findings_json(context, shown, window, owners)
    return {**page(items, more, request, response), **_whole(report, chosen, window)}


class Owners:
    """Looks owners up once: what telemetry says, else what files say."""

    def __init__(self, reader: GraphReader, declared: Declared) -> None:
        self._reader = reader
        self._declared = declared
        self._known: dict[str, str | None] = {}

    async def learn(self, keys: Iterable[str]) -> None:
        """Look many up at once."""
        unknown = [key for key in dict.fromkeys(keys) if key not in self._known]
        seen = {one.key: one.attribute("owner") for one in await self._reader.entities(unknown)} if unknown else {}
        self._known.update({key: seen.get(key) or self._declared.owner(key) for key in unknown})

    async def of(self, key: str) -> str | None:
        """Owner of an entity, if anybody names one."""
        if key not in self._known:
            await self.learn([key])
        return self._known[key]

    async def having(self, owner: str) -> frozenset[str]:
        """Keys of all that an owner has, by telemetry or by files."""
        found = {key for key in self._declared.descriptions if self._declared.owner(key) == owner}
        query = SearchQuery(owner=owner, limit=MAX_PAGE)
        while True:
            owned = await self._reader.search(query)
            found.update(one.key for one in owned.items)
            if owned.cursor is None:
                return frozenset(found)
            query = replace(query, cursor=owned.cursor)


async def findings_json(
    context: Context, findings: Sequence[Finding], window: Window, owners: Owners
) -> list[FindingJson]:
    """Findings with their volumes and both owners."""
    usage = await read_usage(context.store, window, findings)
    await owners.learn(key for one in findings for key in (one.dependent, one.dependency))
    return [await _finding_json(one, usage, owners, context.settings) for one in findings]


async def _finding_json(finding: Finding, usage: Usage, owners: Owners, settings: Settings) -> FindingJson:
    where = (finding.dependent, finding.dependency, finding.environment)
    volume, traces = usage.volumes.get(where), usage.traces.get(where, ())
    begin_ns, end_ns = finding.first_seen_ns or 0, finding.last_seen_ns or 0
    return {
        "status": finding.status.value,
        "dependent": finding.dependent,
        "dependency": finding.dependency,
        "environment": finding.environment or None,
        "types": list(finding.types),
        "first_seen_at": None if finding.first_seen_ns is None else format_time(finding.first_seen_ns),
        "last_seen_at": None if finding.last_seen_ns is None else format_time(finding.last_seen_ns),
        "calls": volume.calls if volume is not None else None,
        "errors": volume.errors if volume is not None else None,
        "traces": list(traces),
        "links": links_of_traces(settings, traces, begin_ns, end_ns, finding.environment or None),
        "dependent_owner": await owners.of(finding.dependent),
        "dependency_owner": await owners.of(finding.dependency),
        "reason": finding.reason,
        "sentence": REASONS[finding.reason],
        "versions": list(finding.versions),
        "declared": [statement_json(one) for one in finding.statements],
    }


def statement_json(statement: Statement) -> StatementJson:
    """Where an edge is stated."""
    edge = statement.edge
    return {
        "source": statement.source,
        "revision": statement.revision or None,
        "file": edge.file,
        "line": edge.line,
        "layer": edge.layer.value,
        "versions": list(edge.versions),
    }


class _WholeJson(TypedDict):
    counts: dict[str, int]
    calls_since: str
    coverage: SharesJson
    disagreements: list[DisagreementJson]


def _whole(report: Differences, chosen: Sequence[Finding], window: Window) -> _WholeJson:
    counts = Counter(one.status for one in chosen)
    seen, calls, data, models = report.coverage
    return {
        "counts": {status.value: counts[status] for status in Status},
        "calls_since": format_time(counted_from_ns(window)),
        "coverage": {"seen": seen, "calls": calls, "data": data, "models": models},
        "disagreements": [_disagreement(one) for one in report.declared.disagreements()],
    }


def _disagreement(one: Disagreement) -> DisagreementJson:
    values: list[ValueJson] = [
        {
            "value": value.value,
            "source": value.source,
            "revision": value.revision or None,
            "file": value.file,
            "line": value.line,
        }
        for value in one.values
    ]
    return {"subject": one.subject, "field": one.field, "values": values}
