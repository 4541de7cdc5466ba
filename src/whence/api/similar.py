"""Earlier incidents that were like this one, and what people found behind them."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Context, Ctx
from whence.api.feedback import Judgement, feedback_kind
from whence.api.investigations import FINGERPRINT, stored_answer
from whence.errors import NotFound
from whence.incidents.similar import FingerprintJson, Likeness, most_alike
from whence.store.protocol import MAX_PAGE
from whence.tokens import Scope

COMPARED = 1_000
"""Latest answers that are looked at."""
_CONFIRMED = frozenset({Judgement.CONFIRMED.value, Judgement.CONTRIBUTING.value})

router = APIRouter(prefix="/api/v1/investigations/{answer_id}/similar", tags=["investigations"])


class SimilarJson(TypedDict):
    """One answer; ``likeness`` is from 0 to 1, ``shared`` says in words what both have, the weightiest first."""

    id: str
    at: str
    onset: str
    entity: str
    headline: str
    likeness: float
    shared: list[str]
    confirmed: list[str]
    """Ids of the changes that people confirmed as its cause."""


class SimilarAnswersJson(TypedDict):
    """The most alike first. ``truncated`` says that there are more answers than were compared."""

    items: list[SimilarJson]
    truncated: bool


@router.get("", dependencies=[needs(Scope.READ)])
async def read_similar(
    answer_id: str, context: Ctx, limit: Annotated[int, Query(ge=1, le=50)] = 5
) -> SimilarAnswersJson:
    """Has this happened before? By what hurts, the way trouble takes, and the kind of change; of each incident once."""
    await stored_answer(context, answer_id)
    own = await context.store.document(FINGERPRINT, answer_id)
    if own is None:
        raise NotFound(f"investigation {answer_id[:100]!r} is older than fingerprints; ask it again")
    others, truncated = await _fingerprints(context)
    alike = most_alike(json.loads(own.body), others, limit)
    return {"items": [await _similar(context, one) for one in alike], "truncated": truncated}


async def _fingerprints(context: Context) -> tuple[list[FingerprintJson], bool]:
    found: list[FingerprintJson] = []
    cursor = None
    while len(found) < COMPARED:
        page = await context.store.documents(FINGERPRINT, MAX_PAGE, cursor)
        found += [json.loads(document.body) for document in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    return found, cursor is not None


async def _similar(context: Context, one: Likeness) -> SimilarJson:
    said = (await context.store.documents(feedback_kind(one.of["id"]), MAX_PAGE, None)).items
    latest = {word["change_id"]: word["verdict"] for word in (json.loads(document.body) for document in reversed(said))}
    return {
        "id": one.of["id"],
        "at": one.of["at"],
        "onset": one.of["onset"],
        "entity": one.of["entity"],
        "headline": one.of["headline"],
        "likeness": round(one.share, 3),
        "shared": list(one.features),
        "confirmed": sorted(change for change, verdict in latest.items() if change and verdict in _CONFIRMED),
    }
