"""``whence policy``: what is forbidden, and who does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from whence.cli.baseline import Baseline, WriteBaseline, read_baseline
from whence.cli.baseline import write_baseline as keep_baseline
from whence.cli.client import Client
from whence.cli.exits import FOUND, USAGE, Failure
from whence.cli.options import DEFAULT_URL, Environment, Json, Since, Until, Url, as_time
from whence.cli.output import Output, moment
from whence.wording import short

policy = typer.Typer(help="Keep policies over lineage, and check who breaks them.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="YAML with `policies:`.")]


@policy.command("import")
def import_(
    file: File,
    *,
    name: Annotated[str | None, typer.Option("--name", help="The file's name when absent.")] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Keep the policies of a file; they replace those that were imported by its name."""
    reply = Client(url).put(f"/api/v1/policies/{quote(name or file.name, safe='')}", _text(file))
    output = Output()
    output.line(f"{len(reply.data['items'])} policies are in force")
    output.hint("next: whence policy check")


@policy.command("list")
def list_(*, as_json: Json = False, url: Url = DEFAULT_URL) -> None:
    """List the policies."""
    reply = Client(url).get("/api/v1/policies")
    output = Output()
    if as_json:
        output.raw(reply.raw)
        return
    rows = [
        (one["name"], "enforced" if one["enforce"] else "dry run", one["forbid"], f"{one['file']}:{one['line']}")
        for one in reply.data["items"]
    ]
    output.table(("policy", "mode", "forbids", "where"), rows)


@policy.command()
def remove(name: Annotated[str, typer.Argument(help="Of the file.")], url: Url = DEFAULT_URL) -> None:
    """Forget the policies of a file."""
    Client(url).delete(f"/api/v1/policies/{quote(name, safe='')}")


@policy.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="Policies to try out; those in force when absent.")] = None,
    *,
    of: Annotated[str | None, typer.Option("--of", help="Only what this one breaks, or would.")] = None,
    uses: Annotated[list[str] | None, typer.Option("--uses", help="A reference that --of is about to use.")] = None,
    since: Since = "7d",
    until: Until = None,
    environment: Environment = None,
    baseline: Baseline = None,
    write_baseline: WriteBaseline = None,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show what breaks a policy; for CI, and before a deployment.

    Exits with 1 when a policy that is enforced is broken, unless the baseline has it. A file is only tried out: nothing
    is kept.
    """
    known = read_baseline(baseline)
    body: dict[str, object] = {"dependent": of, "uses": uses or []}
    if file is not None:
        body["policies"] = _text(file)
    window = {"from": as_time(since), "to": as_time(until) if until is not None else None}
    reply = Client(url).post("/api/v1/policies/check", body, **window, environment=environment)
    items = reply.data["items"]
    keep_baseline(write_baseline, (one["fingerprint"] for one in items))
    output = Output()
    if as_json:
        output.raw(reply.raw)
    elif not items:
        output.line("no policy is broken")
    else:
        rows = [
            (
                one["policy"],
                _mode(one, known),
                short(one["dependent"]),
                one["environment"],
                " -> ".join(map(short, one["path"])),
                moment(one["first_seen_at"]),
                moment(one["last_seen_at"]),
                one["owner"],
            )
            for one in items
        ]
        output.table(("policy", "mode", "who", "environment", "path", "since", "last", "owner"), rows)
    if reply.data["truncated"] and not as_json:
        output.line("the graph was too large to be walked whole: there may be more", "bold")
    if any(not _mode(one, known) for one in items):
        raise typer.Exit(FOUND)


def _mode(violation: Mapping[str, Any], known: Collection[str]) -> str:
    """Why a violation does not fail the check; empty where it does."""
    if not violation["enforce"]:
        return "dry run"
    return "known" if violation["fingerprint"] in known else ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(USAGE, f"can't read {file}: {error}") from None
