"""Changes in, and the list of what changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Discriminator, Tag

from whence.api.access import needs
from whence.api.change_pages import read_page
from whence.api.context import Context, Ctx
from whence.api.paging import Cursor, Limit, PageJson, page
from whence.api.resolve import find, resolve
from whence.api.shapes import ChangeJson, change_json
from whence.api.window import WindowDep
from whence.errors import InvalidQuery, NotFound
from whence.intake.changes import ChangeReport, change_from_report, subject_ref
from whence.model.change import Change
from whence.model.delta import GraphDelta
from whence.store.protocol import GraphReader
from whence.store.rules import encode_cursor
from whence.tokens import Scope

MAX_REPORTS = 1_000

router = APIRouter(prefix="/api/v1/changes", tags=["changes"])

OneOrMany = Annotated[
    Annotated[ChangeReport, Tag("one")] | Annotated[list[ChangeReport], Tag("many"), Body(max_length=MAX_REPORTS)],
    Discriminator(lambda body: "many" if isinstance(body, list) else "one"),
]


@router.post("", status_code=201, dependencies=[needs(Scope.INGEST)])
async def record_changes(reports: Annotated[OneOrMany, Body()], context: Ctx) -> ChangeJson | list[ChangeJson]:
    """Record one change or a list, all or nothing; the answer has the form of the question.

    A change keeps its id. Reporting it again under that id corrects it, and sending the same twice changes nothing.
    """
    if isinstance(reports, ChangeReport):
        return (await _record(context, [await change_of(context.store, reports, context.clock())]))[0]
    changes = []
    for index, report in enumerate(reports):
        try:
            changes.append(await change_of(context.store, report, context.clock()))
        except InvalidQuery as error:
            raise InvalidQuery(f"{index}.{error.field}", error.reason) from None
    return await _record(context, changes)


@router.get("", dependencies=[needs(Scope.READ)])
async def list_changes(
    *,
    context: Ctx,
    window: WindowDep,
    request: Request,
    response: Response,
    entity: Annotated[str | None, Query(description="Only changes of this one: a reference or a unique name.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PageJson[ChangeJson]:
    """Changes that took effect in a window, recorded or seen in spans, the latest first."""
    subject = await resolve(context.store, "entity", entity) if entity else None
    found = await read_page(context.store, window, subject, limit=limit, cursor=cursor)
    shown = found.changes
    more = encode_cursor(shown[-1].effective_ns, shown[-1].id) if found.has_more else None
    return page([change_json(change) for change in shown], more, request, response, truncated=found.truncated)


@router.get("/{change_id:path}", dependencies=[needs(Scope.READ)])
async def read_change(change_id: str, context: Ctx) -> ChangeJson:
    """One recorded change."""
    change = await context.store.change(change_id)
    if change is None:
        raise NotFound(f"there is no recorded change {change_id[:100]!r}")
    return change_json(change)


async def change_of(reader: GraphReader, report: ChangeReport, now_ns: int, source: str = "api") -> Change:
    """The change that a report tells of, about the entity that it names.

    Raises:
        InvalidReference, InvalidQuery, AmbiguousName: The report is not clear.
    """
    ref = subject_ref(report)
    if ref is not None:
        subject = str(ref.base)
    else:
        known = await find(reader, "subject", report.subject)
        subject = known.key if known is not None else report.subject
    return change_from_report(report, subject, now_ns=now_ns, source=source)


async def _record(context: Context, changes: list[Change]) -> list[ChangeJson]:
    """Store changes and give them back as they are stored now."""
    await context.store.upsert(GraphDelta(changes={change.id: change for change in changes}))
    stored = [await context.store.change(change.id) or change for change in changes]
    return [change_json(change) for change in stored]
