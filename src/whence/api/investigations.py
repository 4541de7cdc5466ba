"""Ask what changed upstream, and read the answer again."""

from __future__ import annotations

import json
from typing import Annotated, Any, cast

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.affected import affected
from whence.api.context import Context, Ctx
from whence.api.frozen import content_id, freeze, frozen_response
from whence.api.paging import Cursor, Limit, PageJson, page
from whence.api.resolve import resolve
from whence.api.shapes import AnswerJson, answer_json
from whence.errors import InvalidQuery, NotFound
from whence.exhibits import ExhibitsJson, exhibits_of
from whence.incidents.similar import fingerprint
from whence.intake.fields import instant_ns
from whence.investigate import answer_to, read_case
from whence.model.environments import environment_name
from whence.model.incident import Incident, Symptom
from whence.model.kinds import Signal
from whence.model.refs import MAX_REF_CHARS
from whence.model.times import format_time
from whence.store.protocol import Document
from whence.tokens import Scope

KIND = "investigation"
EXHIBITS = "exhibits"
FINGERPRINT = "fingerprint"

router = APIRouter(prefix="/api/v1/investigations", tags=["investigations"])

TimeText = Annotated[str | None, Field(max_length=64, description="RFC 3339, or relative to now such as -2h.")]


class SymptomBody(BaseModel):
    """Where and how it hurts."""

    model_config = ConfigDict(frozen=True)

    entity: str = Field(min_length=1, max_length=MAX_REF_CHARS, description="A reference, or a name that is unique.")
    operation: str | None = Field(None, max_length=512, description="Route or method; all operations when absent.")
    signal: Signal | None = Field(None, description="How it shows; found out when absent.")


class InvestigationBody(BaseModel):
    """The question."""

    model_config = ConfigDict(frozen=True)

    symptom: SymptomBody
    detected_at: TimeText = None
    onset: TimeText = None
    environment: str | None = Field(None, max_length=256, description="This one, and what named none; all when absent.")
    as_of: TimeText = None
    known_at: TimeText = None
    limit: int = Field(10, ge=1, le=50, description="Suspects at most.")


class SummaryJson(TypedDict):
    """One line of the list of answers."""

    id: str
    created_at: str
    as_of: str
    entity: str
    verdict: str
    headline: str


@router.post("", dependencies=[needs(Scope.READ)], responses={200: {"model": AnswerJson}})
async def ask(body: InvestigationBody, context: Ctx, request: Request) -> Response:
    """The complete answer; it is kept, and ``GET`` with its id gives the same bytes for as long as it is."""
    document = await answered(context, await _incident(body, context, context.clock()))
    response = frozen_response(document.body, request)
    response.headers["Location"] = f"{router.prefix}/{document.id}"
    return response


async def answered(context: Context, incident: Incident) -> Document:
    """The frozen answer to a question, with its exhibits beside it; the same facts give the same document."""
    now = context.clock()
    case = await read_case(context.store, incident, now_ns=now, bucket_s=context.settings.bucket_seconds)
    answer = await answer_to(context.store, case)
    answer_id = content_id("inv", {**answer_json(answer, "")})
    document = await context.store.document(KIND, answer_id)
    if document is None:
        exhibits = exhibits_of(case, answer, answer_id, await affected(context.store, case, answer))
        await context.store.save(Document(EXHIBITS, answer_id, now, freeze({**exhibits})))
        content = {**answer_json(answer, answer_id)}
        short_form = freeze({**fingerprint(content, format_time(now))})
        await context.store.save(Document(FINGERPRINT, answer_id, now, short_form))
        document = Document(KIND, answer_id, now, freeze(content))
        await context.store.save(document)
    return document


@router.get("", dependencies=[needs(Scope.READ)])
async def list_answers(
    context: Ctx, request: Request, response: Response, limit: Limit = 50, cursor: Cursor = None
) -> PageJson[SummaryJson]:
    """Answers that were given, the latest first."""
    found = await context.store.documents(KIND, limit, cursor)
    return page([_summary(document) for document in found.items], found.cursor, request, response)


@router.get("/{answer_id}", dependencies=[needs(Scope.READ)], responses={200: {"model": AnswerJson}})
async def read_answer(answer_id: str, context: Ctx, request: Request) -> Response:
    """An answer as it was given, byte for byte."""
    return frozen_response((await stored_answer(context, answer_id)).body, request)


@router.get("/{answer_id}/exhibits", dependencies=[needs(Scope.READ)], responses={200: {"model": ExhibitsJson}})
async def read_exhibits(answer_id: str, context: Ctx, request: Request) -> Response:
    """What was frozen with an answer: requests over time, new against old, the explaining graph, the harm."""
    document = await context.store.document(EXHIBITS, answer_id)
    if document is None:
        raise NotFound(f"there are no exhibits of an investigation {answer_id[:100]!r}")
    return frozen_response(document.body, request)


async def stored_answer(context: Context, answer_id: str) -> Document:
    """The document of an answer.

    Raises:
        NotFound: There is none of that id.
    """
    document = await context.store.document(KIND, answer_id)
    if document is None:
        raise NotFound(f"there is no investigation {answer_id[:100]!r}")
    return document


async def _incident(body: InvestigationBody, context: Context, now: int) -> Incident:
    def instant(field: str, text: str | None) -> int | None:
        return instant_ns(field, text, now_ns=now) if text else None

    detected = instant("detected_at", body.detected_at)
    onset = instant("onset", body.onset)
    detected_ns = now if detected is None else detected
    if onset is not None and onset > detected_ns:
        raise InvalidQuery("onset", "is after detected_at")
    as_of, known = instant("as_of", body.as_of), instant("known_at", body.known_at)
    entity = await resolve(context.store, "symptom.entity", body.symptom.entity)
    symptom = Symptom(entity.base, body.symptom.operation or None, body.symptom.signal)
    environment = None if body.environment is None else environment_name(body.environment)
    return Incident(symptom, detected_ns, onset, environment, as_of, known, body.limit)


def _summary(document: Document) -> SummaryJson:
    answer = cast("dict[str, Any]", json.loads(document.body))
    return {
        "id": document.id,
        "created_at": format_time(document.created_ns),
        "as_of": answer["as_of"],
        "entity": answer["symptom"]["entity"],
        "verdict": answer["verdict"],
        "headline": answer["headline"],
    }
