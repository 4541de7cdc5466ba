"""``whence search``, ``show`` and ``changed``: what there is, and what happened to it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from whence.cli.card import print_card
from whence.cli.client import Client
from whence.cli.graph import print_changes
from whence.cli.options import DEFAULT_URL, Environment, Json, Since, Until, Url, as_time
from whence.cli.output import Output, moment
from whence.cli.why import show_answer

_ANSWER_PREFIX = "inv-"


def search(
    words: Annotated[list[str] | None, typer.Argument(help="Words that the reference holds.")] = None,
    *,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="service, model, dataset, job, ...")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only what this owner has.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 50,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Find services, models, datasets and jobs by name, owner or description, also misspelt; all without words."""
    params = {"kind": kind or None, "owner": owner, "limit": limit}
    path = "/api/v1/search" if words else "/api/v1/entities"
    reply = Client(url).get(path, q=" ".join(words) if words else None, **params)
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    items = reply.data["items"]
    rows = [(one["kind"], one["key"], one["owner"], moment(one["last_seen_at"])) for one in items]
    output.table(("kind", "reference", "owner", "last seen"), rows)
    if reply.data.get("next") or len(items) == limit:
        output.line("there may be more: narrow it with further words or --kind", "bold")
    if items:
        output.hint(f"next: whence show '{items[0]['key']}'")


def show(
    what: Annotated[str, typer.Argument(help="A reference, a unique name, or the id of an answer (inv-...).")],
    *,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show one thing with its versions, or an answer that was given before."""
    client = Client(url)
    if what.startswith(_ANSWER_PREFIX):
        reply = client.get(f"/api/v1/investigations/{quote(what, safe='')}")
        show_answer(reply.raw, reply.data, url=url, as_json=as_json)
    reply = client.get(f"/api/v1/entities/{quote(what, safe='')}")
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    entity = reply.data
    card = client.get("/api/v1/card", entity=entity["key"]).data
    output.heading(entity["key"])
    said = {
        name: card[name] for name in ("owner", "contact", "description", "lifecycle", "url", "signature") if card[name]
    }
    lists = {name: ", ".join(card[name]) for name in ("labels", "purposes", "columns") if card[name]}
    known = {"kind": entity["kind"], **entity["attributes"], **said, **lists}
    seen = {"first seen": moment(entity["first_seen_at"]), "last seen": moment(entity["last_seen_at"])}
    output.table(("what", "value"), [*known.items(), *seen.items()])
    if entity["versions"]:
        output.heading("versions, the latest first")
        output.table(("reference", "first seen"), [(v["key"], moment(v["first_seen_at"])) for v in entity["versions"]])
    print_card(output, card)
    output.hint(f"next: whence upstream '{entity['key']}', or whence downstream '{entity['key']}'")


def changed(
    *,
    since: Since = "1d",
    until: Until = None,
    of: Annotated[str | None, typer.Option("--of", help="Only changes of this one.")] = None,
    environment: Environment = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 50,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """List what changed, the latest first: recorded, or seen in spans."""
    params = {
        "from": as_time(since),
        "to": as_time(until) if until is not None else None,
        "entity": of,
        "environment": environment,
        "limit": limit,
    }
    reply = Client(url).get("/api/v1/changes", **params)
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    items = reply.data["items"]
    if not items:
        output.line("nothing changed, as far as is known")
        return
    print_changes(output, items)
    if reply.data["next"] or reply.data["truncated"]:
        output.line("there is more: narrow it with --since, --until or --of", "bold")
    output.hint(f"next: whence downstream '{items[0]['subject']}'")
