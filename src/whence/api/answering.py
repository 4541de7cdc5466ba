"""From an incident to its answer, at once and again as evidence ripens, and the answer to whoever wants to be told."""

from __future__ import annotations

import json
from typing import Any

from whence.api import incident_store as kept
from whence.api.context import Context
from whence.api.investigations import answered, stored_answer
from whence.api.resolve import find
from whence.api.telling import tell
from whence.api.withdrawals import is_worth_another_look
from whence.errors import InputError
from whence.incidents.events import Status
from whence.incidents.life import IncidentJson, age_seconds
from whence.incidents.telling import is_news
from whence.model.incident import Incident, Symptom
from whence.model.kinds import Signal
from whence.model.times import format_time, parse_time_ns

RIPE_AFTER_S = 1_200
"""Evidence hardly changes any more once an incident is so old."""
AGAIN_AFTER_S = 60
AGAIN_SHARE = 0.4
"""Of an incident's age: so much of it must have passed since the last answer, so that they come ever more rarely."""
WATCHED = 20
_UNDER_WAY = frozenset({Status.OPEN.value, Status.INVESTIGATING.value})


async def answer_alert(context: Context, incident_id: str) -> None:
    """Investigate what an alert opened or moved, unless it was just done: alerts repeat themselves."""
    incident = await kept.read(context.store, incident_id)
    answers = incident["answers"]
    if not answers or age_seconds(answers[-1]["at"], context.clock()) >= AGAIN_AFTER_S:
        await investigate_incident(context, incident_id)


async def investigate_incident(context: Context, incident_id: str) -> None:
    """Answer an incident, unless nobody knows what hurts; tell it where it found something else than before."""
    incident = await kept.read(context.store, incident_id)
    entity = incident["entity"] or await _entity_by_rule(context, incident)
    if entity is None:
        return
    document = await answered(context, _question(incident, entity))
    if any(one["investigation"] == document.id for one in incident["answers"]):
        return
    answer = json.loads(document.body)
    event = {
        "kind": "answer",
        "at": format_time(context.clock()),
        "investigation": answer["id"],
        "verdict": answer["verdict"],
        "headline": answer["headline"],
        "finding": _finding(answer),
    }
    await kept.add(context, incident_id, event)
    if is_news([*(one["finding"] for one in incident["answers"]), event["finding"]]):
        await tell(context, await kept.read(context.store, incident_id), answer)


async def tell_status(context: Context, incident_id: str) -> None:
    """Tell where an incident stands by now, together with its latest answer; nothing where there is none."""
    incident = await kept.read(context.store, incident_id)
    if incident["answers"]:
        answer = await stored_answer(context, incident["answers"][-1]["investigation"])
        await tell(context, incident, json.loads(answer.body))


def _finding(answer: dict[str, Any]) -> str:
    """What an answer amounts to: another as-of time or a slightly other probability is no news."""
    first = [f"{one['change']['id']} {one['band']}" for one in answer["suspects"][:1]]
    return " ".join([answer["verdict"], *first])


async def ripen(context: Context) -> int:
    """Ask again for every young incident whose last answer is not fresh, and where a suspect was taken back; how many.

    A revert that heals is the strongest evidence there is, and it often ends the incident before anybody asks again.
    """
    asked = 0
    for incident in (await kept.latest(context.store, WATCHED, None)).items:
        if incident["merged_into"]:
            continue
        if _is_ripening(incident, context.clock()) or await is_worth_another_look(context, incident):
            await investigate_incident(context, incident["id"])
            asked += 1
    return asked


def _is_ripening(incident: IncidentJson, now_ns: int) -> bool:
    age_s = age_seconds(incident["opened_at"], now_ns)
    if incident["status"] not in _UNDER_WAY or age_s > RIPE_AFTER_S:
        return False
    last = incident["answers"][-1]["at"] if incident["answers"] else incident["opened_at"]
    return age_seconds(last, now_ns) >= max(AGAIN_AFTER_S, AGAIN_SHARE * age_s)


def _question(incident: IncidentJson, entity: str) -> Incident:
    signal = Signal(incident["signal"]) if incident["signal"] else None
    symptom = Symptom(entity, incident["operation"], signal)
    opened_ns = parse_time_ns(incident["opened_at"], now_ns=0)
    return Incident(symptom, opened_ns, environment=incident["environment"])


async def _entity_by_rule(context: Context, incident: IncidentJson) -> str | None:
    """The first of the names in its alerts that stands for exactly one thing; kept, so that it stays the same."""
    for name in incident["names"]:
        try:
            found = await find(context.store, "name", name)
        except InputError:
            continue
        if found is not None:
            at = format_time(context.clock())
            await kept.add(context, incident["id"], {"kind": "entity", "at": at, "entity": found.base, "by": "rule"})
            return found.base
    return None
