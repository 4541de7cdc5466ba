"""What people say of an answer. Verdicts are added, never removed; the latest on a suspect counts."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.frozen import content_id, freeze
from whence.api.investigations import stored_answer
from whence.api.paging import Cursor, Limit, PageJson, page
from whence.errors import InvalidQuery
from whence.model.times import format_time
from whence.store.protocol import Document
from whence.tokens import Scope

router = APIRouter(prefix="/api/v1/investigations/{answer_id}/feedback", tags=["investigations"])


class Judgement(StrEnum):
    """A person's word on a suspect, or on the answer as a whole (the last three)."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    CONTRIBUTING = "contributing"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    NO_CHANGE = "no_change"
    MISSING_CHANGE = "missing_change"
    UNKNOWN = "unknown"


ON_THE_ANSWER = frozenset({Judgement.NO_CHANGE, Judgement.MISSING_CHANGE, Judgement.UNKNOWN})


class FeedbackBody(BaseModel):
    """One verdict."""

    model_config = ConfigDict(frozen=True)

    verdict: Judgement
    change_id: str | None = Field(None, max_length=256, description="The suspect; absent for the whole answer.")
    reason: str | None = Field(None, max_length=256, description="Such as: after onset, not deployed here.")
    comment: str | None = Field(None, max_length=4096)
    actor: str | None = Field(None, max_length=256)


class FeedbackJson(TypedDict):
    """One verdict as it is kept."""

    id: str
    investigation: str
    verdict: str
    change_id: str | None
    reason: str | None
    comment: str | None
    actor: str | None
    at: str


@router.post("", status_code=201, dependencies=[needs(Scope.WRITE)])
async def give_feedback(answer_id: str, body: FeedbackBody, context: Ctx) -> FeedbackJson:
    """Keep a verdict."""
    answer = cast("dict[str, Any]", json.loads((await stored_answer(context, answer_id)).body))
    _check_target(body, answer)
    now = context.clock()
    content = body.model_dump(mode="json") | {"investigation": answer_id, "at": format_time(now)}
    kept = {"id": content_id("fb", content), **content}
    await context.store.save(Document(feedback_kind(answer_id), kept["id"], now, freeze(kept)))
    return cast("FeedbackJson", kept)


@router.get("", dependencies=[needs(Scope.READ)])
async def list_feedback(
    answer_id: str, context: Ctx, request: Request, response: Response, limit: Limit = 50, cursor: Cursor = None
) -> PageJson[FeedbackJson]:
    """Verdicts on an answer, the latest first."""
    await stored_answer(context, answer_id)
    found = await context.store.documents(feedback_kind(answer_id), limit, cursor)
    return page([json.loads(document.body) for document in found.items], found.cursor, request, response)


def _check_target(body: FeedbackBody, answer: dict[str, Any]) -> None:
    if body.change_id is None:
        if body.verdict not in ON_THE_ANSWER:
            raise InvalidQuery("change_id", f"required: {body.verdict.value!r} is said of one suspect")
        return
    if body.verdict in ON_THE_ANSWER:
        raise InvalidQuery("change_id", f"{body.verdict.value!r} is said of the whole answer, not of one suspect")
    considered = [one["change"]["id"] for one in (*answer["suspects"], *answer["ruled_out"])]
    if body.change_id not in considered:
        raise InvalidQuery("change_id", f"{body.change_id!r} is not among the changes of this answer")


def feedback_kind(answer_id: str) -> str:
    """Under which kind of documents the verdicts on one answer are kept."""
    return f"feedback:{answer_id}"
