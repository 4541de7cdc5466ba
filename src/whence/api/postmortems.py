"""Drafts of postmortems, of an answer or of an incident, as Markdown, HTML or JSON."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse

from whence.api import incident_store
from whence.api.access import needs
from whence.api.context import Context, Ctx
from whence.api.feedback import feedback_kind
from whence.api.investigations import EXHIBITS, stored_answer
from whence.errors import NotFound
from whence.incidents.life import IncidentJson
from whence.postmortem import DraftJson, Sources, check_template, draft, html, markdown
from whence.settings import Settings
from whence.store.protocol import MAX_PAGE
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1", tags=["postmortems"], dependencies=[needs(Scope.READ)])

_STANDALONE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The document carries its own style, and nothing else."""


class Format(StrEnum):
    """How a draft is written down."""

    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


FormatQuery = Annotated[Format, Query(alias="format")]


def check_settings(settings: Settings) -> None:
    """Refuse a template that can't be used.

    Raises:
        ConfigError: It is missing or can't be compiled.
    """
    if settings.postmortem_template:
        check_template(Path(settings.postmortem_template))


@router.get("/investigations/{answer_id}/postmortem", responses={200: {"model": DraftJson}})
async def of_answer(answer_id: str, context: Ctx, form: FormatQuery = Format.MARKDOWN) -> Response:
    """A draft from a frozen answer, its exhibits, and what people said of it."""
    return _written(await _sources(context, answer_id), form, context)


@router.get("/incidents/{incident_id}/postmortem", responses={200: {"model": DraftJson}})
async def of_incident(incident_id: str, context: Ctx, form: FormatQuery = Format.MARKDOWN) -> Response:
    """A draft from the latest answer to an incident, with the incident's own life in the timeline."""
    incident = await incident_store.read(context.store, incident_id)
    if not incident["answers"]:
        raise NotFound(f"the incident {incident_id[:100]!r} has no answer yet, so there is nothing to draft from")
    return _written(await _sources(context, incident["answers"][-1]["investigation"], incident), form, context)


async def _sources(context: Context, answer_id: str, incident: IncidentJson | None = None) -> Sources:
    answer = await stored_answer(context, answer_id)
    exhibits = await context.store.document(EXHIBITS, answer_id)
    said = await context.store.documents(feedback_kind(answer_id), MAX_PAGE, None)
    return Sources(
        answer=json.loads(answer.body),
        exhibits=json.loads(exhibits.body) if exhibits is not None else None,
        said=[json.loads(one.body) for one in said.items],
        incident={**incident} if incident is not None else None,
    )


def _written(sources: Sources, form: Format, context: Context) -> Response:
    drafted = draft(sources)
    if form is Format.JSON:
        return JSONResponse(drafted)
    if form is Format.HTML:
        return HTMLResponse(html(drafted, sources), headers={"Content-Security-Policy": _STANDALONE})
    own = context.settings.postmortem_template
    return Response(markdown(drafted, Path(own) if own else None), media_type="text/markdown; charset=utf-8")
