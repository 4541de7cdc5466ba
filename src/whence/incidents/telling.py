"""The answer to an incident, in the forms that others read: a CloudEvent, Slack's blocks, an annotation in Grafana."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from whence.incidents.events import Status
from whence.incidents.life import IncidentJson
from whence.model.times import parse_time_ns
from whence.wording import percent, short

EVENT_TYPE = "dev.whence.incident.answered.v1"
SHOWN = 3
SLACK_TEXT = 2_900
"""A section of Slack's holds 3,000 characters."""

Json = Mapping[str, Any]


def cloudevent(incident: IncidentJson, answer: Json, base_url: str) -> dict[str, Any]:
    """CloudEvents 1.0, structured; the id is made of answer and status, so that a second delivery is known as one."""
    return {
        "specversion": "1.0",
        "id": f"{incident['id']}/{answer['id']}{_standing(incident)}",
        "source": base_url or "whence",
        "type": EVENT_TYPE,
        "subject": incident["id"],
        "time": answer["as_of"],
        "datacontenttype": "application/json",
        "data": {"incident": incident, "answer": answer, "links": _links(incident, answer, base_url)},
    }


def slack_message(incident: IncidentJson, answer: Json, base_url: str) -> dict[str, Any]:
    """A message for an incoming webhook: the headline, three suspects with one reason each, and links."""
    title = f"{_said(incident)}{incident['title']}: {answer['headline']}"
    links = _links(incident, answer, base_url)
    context = f"since {answer['onset']['at']} · <{links['incident']}|incident> · <{links['answer']}|evidence>"
    return {
        "text": _plain(title),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": _plain(title)[:150]}},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "\n".join(map(_escaped, _sentences(answer)))[:SLACK_TEXT]},
            },
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context}]},
        ],
    }


def grafana_annotation(incident: IncidentJson, answer: Json, base_url: str) -> dict[str, Any]:
    """An annotation at the onset, for all dashboards that show the tag ``whence``; Grafana reads its text as HTML."""
    links = _links(incident, answer, base_url)
    lines = [
        html.escape(f"{_said(incident)}{incident['title']}: {answer['headline']}"),
        *map(html.escape, _sentences(answer)),
    ]
    lines.append(f'<a href="{html.escape(links["incident"])}">incident</a>')
    tags = ["whence", f"verdict:{answer['verdict']}"]
    if incident["entity"]:
        tags.append(short(incident["entity"]))
    return {"time": _milliseconds(answer["onset"]["at"]), "tags": tags, "text": "<br/>".join(lines)}


def is_news(findings: Sequence[str]) -> bool:
    """Whether the last of all findings so far is to be told.

    One that was never told is told at once. One that comes back is told only once it stood twice in a row: what changes
    its mind at every look would otherwise post at every look.
    """
    told: list[str] = []
    is_due = False
    for before, finding in zip((None, *findings), findings, strict=False):
        is_due = finding not in told or (finding != told[-1] and finding == before)
        if is_due:
            told.append(finding)
    return is_due


def _milliseconds(time: str) -> int:
    return parse_time_ns(time, now_ns=0) // 1_000_000


def _said(incident: IncidentJson) -> str:
    """Where it stands, once that isn't what everybody takes for granted."""
    return f"[{incident['status']}] " if _standing(incident) else ""


def _standing(incident: IncidentJson) -> str:
    return f"/{incident['status']}" if incident["status"] in (Status.MITIGATED, Status.RESOLVED) else ""


def _links(incident: IncidentJson, answer: Json, base_url: str) -> dict[str, str]:
    return {
        "incident": f"{base_url}/incidents/{incident['id']}",
        "answer": f"{base_url}/investigations/{answer['id']}",
    }


def _sentences(answer: Json) -> Iterator[str]:
    """Three suspects with one reason each, and the case for none."""
    for suspect in answer["suspects"][:SHOWN]:
        change = suspect["change"]
        arrow = f"{change['from'] or '?'} → {change['to'] or '?'}"
        yield (
            f"{suspect['rank']}. {suspect['band']} {percent(suspect['probability'])} · {change['kind']} "
            f"{short(change['subject'])} {arrow}"
        )
        reason = next((one["sentence"] for one in suspect["evidence"] if one["direction"] == "for"), None)
        if reason:
            yield f"     {reason}"
    yield f"{percent(answer['none']['probability'])} · no recorded change explains this"


def _escaped(text: str) -> str:
    """Text of strangers can't make links or mentions in Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    return " ".join(text.split())
