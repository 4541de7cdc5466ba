"""A check before it ships: what a checkout declares, compared with what production does. Nothing is kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.declarations import ImportBody
from whence.api.differences import read_differences
from whence.api.imports import read_sources
from whence.api.undeclared import FindingJson, Owners, findings_json
from whence.api.window import WindowDep
from whence.declare.formats import read_files
from whence.declare.gate import Checked, check
from whence.declare.statements import Source, together
from whence.model.times import format_time
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1/check", tags=["declarations"], dependencies=[needs(Scope.READ)])


class SuppressionJson(TypedDict):
    """Who answers for a finding, and how long."""

    owner: str
    reason: str
    expires: str
    file: str
    line: int


class CheckedJson(FindingJson):
    """A finding with where to mend it. ``level``: error, warning or note."""

    level: str
    fingerprint: str
    file: str
    line: int
    suppression: SuppressionJson | None


class UnreadableJson(TypedDict):
    """A file that could not be read."""

    file: str
    problem: str


class CheckJson(TypedDict):
    """All findings on the things of one checkout, and the files that could not be read."""

    items: list[CheckedJson]
    unreadable: list[UnreadableJson]


@router.post("")
async def check_files(body: Annotated[ImportBody, Body()], window: WindowDep, context: Ctx) -> CheckJson:
    """Compare files of a checkout, instead of what was imported by their name, with what was observed in a window."""
    readings = read_files({file.path: file.text for file in body.files})
    mine = Source(body.name, body.revision, together(one.statements for one in readings))
    others = [one for one in await read_sources(context.store) if one.name != mine.name]
    report = await read_differences(context.store, window, [*others, mine])
    owners = Owners(context.store, report.declared)
    checked = list(check(report.findings, report.declared, mine, today=format_time(context.clock())[:10]))
    findings = await findings_json(context, [one.finding for one in checked], window, owners)
    items = [_json(one, finding) for one, finding in zip(checked, findings, strict=True)]
    unreadable: list[UnreadableJson] = [{"file": one.path, "problem": one.problem} for one in readings if one.problem]
    return {"items": items, "unreadable": unreadable}


def _json(one: Checked, finding: FindingJson) -> CheckedJson:
    suppression: SuppressionJson | None = None
    if one.suppression is not None:
        _, _, _, owner, reason, expires, file, line = one.suppression
        suppression = {"owner": owner, "reason": reason, "expires": expires, "file": file, "line": line}
    return {
        **finding,
        "level": one.level.value,
        "fingerprint": one.fingerprint,
        "file": one.file,
        "line": one.line,
        "suppression": suppression,
    }
