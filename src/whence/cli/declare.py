"""``whence declare`` and ``whence undeclared``: what files say, and what they don't."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from whence.cli.checkout import checkout_body
from whence.cli.client import Client
from whence.cli.options import DEFAULT_URL, Environment, Json, Since, Until, Url, as_time
from whence.cli.output import Output, moment
from whence.declare.draft import Missing
from whence.declare.draft import draft as drafted
from whence.wording import short

declare = typer.Typer(help="Tell whence what depends on what, from the files of a checkout.", no_args_is_help=True)

Name = Annotated[str | None, typer.Option("--name", help="What is imported; its remote or folder when absent.")]
Checkout = Annotated[Path, typer.Argument(help="A checkout, a folder or one file.")]


@declare.command("import")
def import_(path: Checkout, *, name: Name = None, as_json: Json = False, url: Url = DEFAULT_URL) -> None:
    """Import every file below a path that states dependencies; the import of that name before is replaced."""
    reply = Client(url).post("/api/v1/declarations", checkout_body(path, name))
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    data = reply.data
    output.heading(f"{data['name']}: {data['edges']} dependencies of {data['things']} things")
    rows = [(one["path"], one["format"], one["edges"], one["things"], one["problem"]) for one in data["files"]]
    output.table(("file", "format", "dependencies", "things", "problem"), rows)
    output.hint("next: whence undeclared")


@declare.command("list")
def list_(*, as_json: Json = False, url: Url = DEFAULT_URL) -> None:
    """List what was imported."""
    reply = Client(url).get("/api/v1/declarations")
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    rows = [
        (one["name"], one["revision"], moment(one["imported_at"]), one["edges"], one["things"], one["problem"])
        for one in reply.data["items"]
    ]
    output.table(("name", "revision", "imported", "dependencies", "things", "problem"), rows)


@declare.command()
def remove(
    name: Annotated[str, typer.Argument(help="As `whence declare list` shows it.")], url: Url = DEFAULT_URL
) -> None:
    """Forget everything that an import stated."""
    Client(url).delete(f"/api/v1/declarations/{quote(name, safe='')}")


@declare.command()
def draft(
    path: Checkout,
    *,
    write: Annotated[bool, typer.Option("--write", help="Change the files; otherwise only show what would.")] = False,
    name: Name = None,
    since: Since = "7d",
    until: Until = None,
    environment: Environment = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Write what a checkout uses and does not declare into the files that it already keeps, comments untouched."""
    body = checkout_body(path, name)
    window = {"from": as_time(since), "to": as_time(until) if until is not None else None}
    items = Client(url).post("/api/v1/check", body, **window, environment=environment).data["items"]
    found = [one for one in items if one["status"] == "undeclared" and one["suppression"] is None]
    missing = [Missing(one["dependent"], one["types"][0], one["dependency"]) for one in found]
    root = path if path.is_dir() else path.parent
    texts = {file["path"]: file["text"] for file in body["files"]}
    output = Output()
    for file, text in sorted(drafted(texts, missing).items()):
        lines = difflib.unified_diff(
            texts.get(file, "").splitlines(), text.splitlines(), f"a/{file}", f"b/{file}", lineterm=""
        )
        for line in lines:
            output.line(line)
        if write:
            (root / file).write_text(text, encoding="utf-8")
    if not missing:
        output.line("nothing is missing")


def undeclared(
    *,
    since: Since = "1d",
    until: Until = None,
    environment: Environment = None,
    status: Annotated[
        list[str] | None, typer.Option("--status", help="undeclared, unused, blind_spot or unexpected_version.")
    ] = None,
    entity: Annotated[str | None, typer.Option("--of", help="Only where this one is at either end.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only where it owns either end.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 50,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show dependencies that are used but not declared, declared but not used, or of an unexpected version."""
    reply = Client(url).get(
        "/api/v1/undeclared",
        **{"from": as_time(since), "to": as_time(until) if until is not None else None},
        environment=environment,
        status=status or None,
        entity=entity,
        owner=owner,
        limit=limit,
    )
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    data = reply.data
    if not data["items"]:
        output.line("files and production agree")
    else:
        columns = (
            "what",
            "dependent",
            "dependency",
            "environment",
            "calls",
            "first seen",
            "last seen",
            "owners",
            "trace",
            "why",
        )
        output.table(columns, [_row(one) for one in data["items"]])
    for one in data["disagreements"]:
        sides = "; ".join(
            f"{side['value']} in {side['source']} {side['file']}:{side['line']}" for side in one["values"]
        )
        output.line(f"files disagree on the {one['field']} of {short(one['subject'])}: {sides}")
    if data["next"]:
        output.line("there is more: narrow it with --of, --owner or --status", "bold")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    owners = " / ".join(one[side] or "nobody" for side in ("dependent_owner", "dependency_owner"))
    why = one["sentence"] if not one["versions"] else f"{', '.join(map(short, one['versions']))}: {one['sentence']}"
    return (
        one["status"],
        short(one["dependent"]),
        short(one["dependency"]),
        one["environment"],
        one["calls"],
        moment(one["first_seen_at"]),
        moment(one["last_seen_at"]),
        owners,
        one["traces"][0] if one["traces"] else None,
        why,
    )
