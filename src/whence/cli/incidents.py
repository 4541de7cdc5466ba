"""``whence incidents``: what is wrong, what was found out, and saying where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from whence.cli.client import Client
from whence.cli.exits import USAGE, Failure
from whence.cli.options import DEFAULT_URL, Json, Url
from whence.cli.output import Output, moment
from whence.wording import short


def incidents(
    incident: Annotated[str | None, typer.Argument(help="Id of one incident (inc-...); all when absent.")] = None,
    *,
    status: Annotated[
        str | None, typer.Option("--status", help="Only: open, investigating, mitigated, resolved.")
    ] = None,
    set_status: Annotated[str | None, typer.Option("--set", help="Say where the incident stands.")] = None,
    entity: Annotated[str | None, typer.Option("--entity", help="Say what hurts, where no rule could tell.")] = None,
    merge: Annotated[str | None, typer.Option("--merge", help="Say that this other incident is part of it.")] = None,
    part: Annotated[str | None, typer.Option("--part", help="Say that it is no part of it after all.")] = None,
    split: Annotated[
        list[str] | None, typer.Option("--split", help="Key of an alert that is about something else; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 20,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """List incidents, show one, or say where it stands, what hurts, and what belongs together."""
    client, output = Client(url), Output()
    if incident is None:
        if set_status or entity or merge or part or split:
            raise Failure(USAGE, "name the incident: whence incidents inc-... --set mitigated")
        reply = client.get("/api/v1/incidents", status=status, limit=limit)
    else:
        path = f"/api/v1/incidents/{quote(incident, safe='')}"
        if entity:
            client.post(f"{path}/entity", {"entity": entity})
        if set_status:
            client.post(f"{path}/status", {"status": set_status})
        for verb, other in (("merge", merge), ("part", part)):
            if other:
                client.post(f"{path}/{verb}", {"incident": other})
        if split:
            path = _split(client, path, split)
        reply = client.get(path)
    if as_json:
        output.raw(reply.raw)
    elif incident is None:
        _print_list(output, reply.data["items"])
    else:
        _print_one(output, reply.data)


def _split(client: Client, path: str, keys: list[str]) -> str:
    """Move alerts to an incident of their own; its path."""
    alerts = client.get(path).data["alerts"]
    named = [{"source": one["source"], "key": one["key"]} for one in alerts if one["key"] in keys]
    if not named:
        raise Failure(USAGE, f"no alert has that key; there are: {', '.join(one['key'] for one in alerts)}")
    new = client.post(f"{path}/split", {"alerts": named}).data["id"]
    return f"/api/v1/incidents/{quote(new, safe='')}"


def _print_list(output: Output, items: list[Mapping[str, Any]]) -> None:
    if not items:
        output.line("no incident")
        return
    rows = [(one["id"], one["status"], one["title"], _what(one), moment(one["opened_at"])) for one in items]
    output.table(("incident", "status", "title", "hurts", "opened"), rows)
    output.hint(f"next: whence incidents {items[0]['id']}")


def _print_one(output: Output, incident: Mapping[str, Any]) -> None:
    output.heading(f"{incident['title']} ({incident['status']})")
    output.line(f"  {_what(incident)}, since {moment(incident['opened_at'])}")
    if incident["merged_into"]:
        output.line(f"  part of {incident['merged_into']}")
    for other in incident["merged"]:
        output.line(f"  {other} is part of it")
    for alert in incident["alerts"]:
        state = "fires" if alert["firing"] else "over"
        output.line(f"  {state}: {alert['title']} ({alert['source']} {alert['key']}, {moment(alert['at'])})")
    for answer in incident["answers"]:
        output.line(f"  {answer['investigation']}: {answer['headline']}")
    if incident["asks"]:
        output.hint(f"nobody knows what hurts; say it: whence incidents {incident['id']} --entity <name>")
    elif incident["answers"]:
        output.hint(f"next: whence show {incident['answers'][-1]['investigation']}")


def _what(incident: Mapping[str, Any]) -> str:
    return short(incident["entity"]) if incident["entity"] else "unknown: say what hurts"
