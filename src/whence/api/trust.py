"""How far the answers can be trusted: what people said of past ones, what cannot be seen, which feeds are alive."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Ctx
from whence.api.feedback import Judgement, feedback_kind
from whence.api.investigations import KIND
from whence.model.change import Change
from whence.model.delta import Entity
from whence.model.kinds import EntityKind
from whence.model.times import NS_PER_SECOND, format_time
from whence.store.protocol import MAX_PAGE, ChangeQuery, GraphReader, SearchQuery
from whence.tokens import Scope, Token

ANSWERS_JUDGED = 100
"""Latest answers that calibration looks at."""
FEED_DAYS = 7
FEED_CHANGES = 1_000

_RIGHT = frozenset({Judgement.CONFIRMED.value, Judgement.CONTRIBUTING.value})
_WRONG = frozenset({Judgement.REJECTED.value})

router = APIRouter(prefix="/api/v1/trust", tags=["trust"], dependencies=[needs(Scope.READ)])


class CalibrationJson(TypedDict):
    """Suspects of one band that people judged: what we said on average, the share that was right, its 95 % interval."""

    band: str
    judged: int
    said: float
    right: float
    right_low: float
    right_high: float


class FeedJson(TypedDict):
    """One source of recorded changes, over the last days."""

    source: str
    changes: int
    last_at: str


class GapsJson(TypedDict):
    """Entities of which no version was ever seen: a change there stays unseen."""

    service: list[str]
    model: list[str]


class TokenJson(TypedDict):
    """A token that is accepted, by name; ``until`` is the first day (UTC) on which it no longer is."""

    name: str
    scopes: list[str]
    until: str | None
    is_over: bool


class TrustJson(TypedDict):
    """All of it. ``truncated`` says that there are more entities or changes than were looked at."""

    answers: dict[str, int]
    calibration: list[CalibrationJson]
    feeds: list[FeedJson]
    without_version: GapsJson
    tokens: list[TokenJson]
    truncated: bool


@router.get("")
async def read_trust(context: Ctx) -> TrustJson:
    """Calibration over the latest answers, feeds of changes, and what carries no version."""
    reader = context.store
    verdicts, judged = await _judged(reader)
    feeds, many_changes = await _feeds(reader, context.clock())
    service, many_services = await _without_version(reader, EntityKind.SERVICE)
    model, many_models = await _without_version(reader, EntityKind.MODEL)
    return {
        "answers": dict(sorted(verdicts.items())),
        "calibration": list(_calibration(judged)),
        "feeds": feeds,
        "without_version": {"service": service, "model": model},
        "tokens": [_token(one, context.clock()) for one in context.tokens.known()],
        "truncated": many_changes or many_services or many_models,
    }


class _Judged(NamedTuple):
    band: str
    probability: float
    is_right: bool


async def _judged(reader: GraphReader) -> tuple[Counter[str], list[_Judged]]:
    """How the latest answers ended, and every suspect of theirs on which somebody gave a word."""
    verdicts: Counter[str] = Counter()
    judged: list[_Judged] = []
    for document in (await reader.documents(KIND, ANSWERS_JUDGED, None)).items:
        answer = json.loads(document.body)
        verdicts[answer["verdict"]] += 1
        said = [
            json.loads(one.body) for one in (await reader.documents(feedback_kind(document.id), MAX_PAGE, None)).items
        ]
        latest = {one["change_id"]: one["verdict"] for one in reversed(said)}
        judged += _suspects_judged(answer, latest)
    return verdicts, judged


def _suspects_judged(answer: Mapping[str, Any], latest: Mapping[str, str]) -> Iterator[_Judged]:
    for suspect in answer["suspects"]:
        word = latest.get(suspect["change"]["id"])
        if word in _RIGHT or word in _WRONG:
            yield _Judged(suspect["band"], suspect["probability"], word in _RIGHT)


def _calibration(judged: Iterable[_Judged]) -> Iterator[CalibrationJson]:
    by_band: dict[str, list[_Judged]] = defaultdict(list)
    for one in judged:
        by_band[one.band].append(one)
    for band, members in sorted(by_band.items(), key=lambda item: -item[1][0].probability):
        said = sum(one.probability for one in members) / len(members)
        right = sum(one.is_right for one in members)
        low, high = share_interval(right, len(members))
        yield {
            "band": band,
            "judged": len(members),
            "said": said,
            "right": right / len(members),
            "right_low": low,
            "right_high": high,
        }


def share_interval(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; ``of`` is at least 1."""
    z = 1.96
    middle = (hits + z * z / 2) / (of + z * z)
    half = z / (of + z * z) * math.sqrt(hits * (of - hits) / of + z * z / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def _token(token: Token, now_ns: int) -> TokenJson:
    until = None if token.until is None else token.until.isoformat()
    return {
        "name": token.name,
        "scopes": sorted(token.scopes),
        "until": until,
        "is_over": until is not None and until <= format_time(now_ns)[: len(until)],
    }


async def _feeds(reader: GraphReader, now_ns: int) -> tuple[list[FeedJson], bool]:
    from_ns = now_ns - FEED_DAYS * 86_400 * NS_PER_SECOND
    found: list[Change] = []
    cursor = None
    while len(found) < FEED_CHANGES:
        page = await reader.changes(ChangeQuery(from_ns, now_ns + NS_PER_SECOND, cursor=cursor))
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    last = {one.source: one.effective_ns for one in reversed(found)}
    many = Counter(one.source for one in found)
    feeds: list[FeedJson] = [
        {"source": source, "changes": many[source], "last_at": format_time(at)} for source, at in sorted(last.items())
    ]
    return feeds, cursor is not None


async def _without_version(reader: GraphReader, kind: EntityKind) -> tuple[list[str], bool]:
    page = await reader.search(SearchQuery(kinds=frozenset({kind}), limit=MAX_PAGE))
    entities: tuple[Entity, ...] = page.items
    versioned = {one.key.src for one in await reader.versions([one.key for one in entities], None, None)}
    return [one.key for one in entities if one.key not in versioned], page.cursor is not None
