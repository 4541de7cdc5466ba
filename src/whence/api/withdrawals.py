"""The watch for reverts: whether something that was suspected was changed again, and when to look what that did."""

from __future__ import annotations

import json
from typing import Any

from whence.api.context import Context
from whence.api.investigations import stored_answer
from whence.incidents.life import IncidentJson, age_seconds
from whence.model.refs import parse_ref
from whence.model.times import NS_PER_SECOND, parse_time_ns
from whence.store.protocol import ChangeQuery

WATCHED_S = 86_400
"""An incident is watched for so long after its last event, also when it is over: what healed it may be told late."""
SETTLED_S = 180
"""So long after a revert there are requests enough to see whether it healed."""
SUSPECTS = 5


async def is_worth_another_look(context: Context, incident: IncidentJson) -> bool:
    """Whether a suspect's subject changed after the latest answer had settled, and has settled by now."""
    now = context.clock()
    if not incident["answers"] or age_seconds(incident["updated_at"], now) > WATCHED_S:
        return False
    answered_ns = parse_time_ns(incident["answers"][-1]["at"], now_ns=now)
    settled_ns = SETTLED_S * NS_PER_SECOND
    from_ns, to_ns = answered_ns - settled_ns, now - settled_ns
    subjects = await _suspected(context, incident) if to_ns > from_ns else ()
    if not subjects:
        return False
    found = await context.store.changes(ChangeQuery(from_ns, to_ns, subjects=subjects, limit=1))
    return bool(found.items)


async def _suspected(context: Context, incident: IncidentJson) -> tuple[str, ...]:
    """What the latest answer suspects was changed, versions told as their things."""
    document = await stored_answer(context, incident["answers"][-1]["investigation"])
    answer: dict[str, Any] = json.loads(document.body)
    subjects = [one["change"]["subject"] for one in answer["suspects"][:SUSPECTS]]
    return tuple(dict.fromkeys(str(parse_ref(one).base) for one in subjects if "#" in one))
