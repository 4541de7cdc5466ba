"""``whence upstream``, ``downstream`` and ``diff``: the graph around one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from whence.cli.client import Client, Reply
from whence.cli.options import DEFAULT_URL, Depth, Environment, Json, Since, Thing, Until, Url, as_time
from whence.cli.output import Output, moment
from whence.wording import short

Record = Mapping[str, Any]


def upstream(
    entity: Thing,
    *,
    since: Since = "1d",
    until: Until = None,
    depth: Depth = 8,
    environment: Environment = None,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show what a thing depends on, nearest first, and what changed there."""
    params = _window(since, until) | {"entity": entity, "depth": depth, "environment": environment}
    reply = Client(url).get("/api/v1/upstream", **params)
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    _print_nodes(output, reply)
    output.heading(f"{len(reply.data['changes'])} changes there")
    print_changes(output, reply.data["changes"])
    output.hint(f"next: whence why '{reply.data['entity']}'")


def downstream(
    entity: Thing,
    *,
    message: Annotated[
        bool, typer.Option("--message", help="Print a message to paste to those who own what depends on it.")
    ] = False,
    if_changed: Annotated[
        str | None, typer.Option("--if-changed", help="Only what a change of one column hits: schema:user_id.")
    ] = None,
    since: Since = "1d",
    until: Until = None,
    depth: Depth = 8,
    environment: Environment = None,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show what depends on a thing (the blast radius), nearest first, and who owns it."""
    params = _window(since, until) | {"entity": entity, "depth": depth, "environment": environment}
    params["if_changed"] = if_changed
    reply = Client(url).get("/api/v1/downstream", **params)
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    if message:
        output.raw(reply.data["message"])
        return
    _print_nodes(output, reply)
    _print_impact(output, reply.data["impact"])
    if reply.data["spared"]:
        output.line(f"don't use it, as far as is known: {', '.join(map(short, reply.data['spared']))}")
    if reply.data["owners"]:
        output.line(f"tell: {', '.join(reply.data['owners'])}")
    output.hint(f"next: whence show '{reply.data['entity']}'")


def diff(
    entity: Thing,
    *,
    since: Since = "1d",
    until: Until = None,
    depth: Depth = 8,
    width: Annotated[str, typer.Option("--width", help="How far back a thing counts as in use.")] = "15m",
    environment: Environment = None,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show what a thing depends on now that it did not then, and the reverse."""
    params = _window(since, until) | {"entity": entity, "depth": depth, "width": width, "environment": environment}
    reply = Client(url).get("/api/v1/diff", **params)
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    data = reply.data
    rows = [(sign, *row) for sign, side in (("+", data["added"]), ("-", data["removed"])) for row in _side_rows(side)]
    rows += [("~", "versions", short(one["entity"]), _shift(one)) for one in data["versions"]]
    if rows:
        output.table(("", "what", "of", "detail"), rows)
    else:
        output.line("nothing differs")
    output.hint(f"next: whence changed --of '{data['entity']}' --since {since}")


def print_changes(output: Output, changes: Iterable[Record]) -> None:
    """Changes as a table, in the given order."""
    rows = [
        (
            moment(change["effective_at"]),
            change["kind"],
            short(change["subject"]),
            change["from"],
            change["to"],
            change["environment"],
            "recorded" if change["recorded"] else "seen",
            change["id"],
        )
        for change in changes
    ]
    if rows:
        output.table(("when", "kind", "subject", "from", "to", "environment", "how known", "id"), rows)


def _window(since: str, until: str | None) -> dict[str, object]:
    return {"from": as_time(since), "to": as_time(until) if until is not None else None}


def _print_nodes(output: Output, reply: Reply) -> None:
    rows = [(node["depth"], node["kind"], node["key"], node["owner"]) for node in reply.data["entities"]]
    output.table(("hops", "kind", "reference", "owner"), rows)
    if reply.data["truncated"]:
        output.line("there is more: narrow it with --depth or --since", "bold")


def _print_impact(output: Output, impact: Iterable[Record]) -> None:
    rows = [
        (
            one["hops"],
            short(one["entity"]),
            f"{one['calls']:.0f}",
            ", ".join(one["environments"]),
            ", ".join(map(short, one["undeclared"])),
            one["criticality"],
            "" if one["known"] else "perhaps",
            ", ".join(one["columns"] or ()),
        )
        for one in impact
    ]
    if rows:
        output.heading("how hard it is hit")
        columns = ("steps", "what", "calls", "environments", "never declared", "criticality", "sure", "columns")
        output.table(columns, rows)


def _side_rows(side: Record) -> Iterable[tuple[str, str, str]]:
    for entity in side["entities"]:
        yield entity["kind"], short(entity["key"]), entity["key"]
    for relation in side["relations"]:
        yield relation["type"], short(relation["dependent"]), f"on {relation['dependency']}"


def _shift(shift: Record) -> str:
    before, after = (", ".join(short(key) for key in shift[side]) or "none" for side in ("before", "after"))
    return f"{before} -> {after}"
