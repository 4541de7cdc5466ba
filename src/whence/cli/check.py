"""``whence check``: the gate in CI."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from whence.cli import reports
from whence.cli.baseline import Baseline, WriteBaseline, read_baseline
from whence.cli.baseline import write_baseline as keep_baseline
from whence.cli.checkout import checkout_body
from whence.cli.client import Client
from whence.cli.declare import Name
from whence.cli.exits import FOUND, USAGE, Failure
from whence.cli.options import DEFAULT_URL, Environment, Json, Since, Until, Url, as_time
from whence.cli.output import Output
from whence.wording import short

Item = dict[str, Any]


def check(
    path: Annotated[Path, typer.Argument(help="A checkout, a folder or one file.")] = Path(),
    *,
    name: Name = None,
    since: Since = "7d",
    until: Until = None,
    environment: Environment = None,
    baseline: Baseline = None,
    write_baseline: WriteBaseline = None,
    sarif: Annotated[Path | None, typer.Option(help="Write SARIF 2.1.0.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.")] = None,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Compare what a checkout declares with what production does; for CI.

    Exits with 1 when something is used that is not declared, or a version that is not expected, unless the baseline
    has it or the checkout suppresses it with owner, reason and expiry.
    """
    known = read_baseline(baseline)
    reply = Client(url).post(
        "/api/v1/check",
        checkout_body(path, name),
        **{"from": as_time(since), "to": as_time(until) if until is not None else None},
        environment=environment,
    )
    items: list[Item] = reply.data["items"]
    failing = [one for one in items if _fails(one, known)]
    keep_baseline(write_baseline, (one["fingerprint"] for one in items))
    _write(sarif, lambda: reports.sarif(items, known))
    _write(junit, lambda: reports.junit(items, failing))
    output = Output()
    if as_json:
        output.raw(reply.raw)
    else:
        _print(output, items, failing)
    for one in reply.data["unreadable"]:
        raise Failure(USAGE, f"{one['file']}: {one['problem']}")
    if failing:
        raise typer.Exit(FOUND)


def _fails(item: Item, known: frozenset[str]) -> bool:
    return item["level"] == "error" and item["suppression"] is None and item["fingerprint"] not in known


def _print(output: Output, items: Sequence[Item], failing: Sequence[Item]) -> None:
    rows = [
        (f"{one['file']}:{one['line']}", _level(one, failing), one["status"], *_ends(one), one["sentence"])
        for one in items
    ]
    if rows:
        output.table(("where", "level", "what", "dependent", "dependency", "why"), rows)
    if "GITHUB_ACTIONS" in os.environ:
        for line in reports.workflow_commands(failing):
            output.line(line)
    output.heading(f"{len(failing)} of {len(items)} findings fail the check")


def _level(item: Item, failing: Sequence[Item]) -> str:
    if item["suppression"] is not None:
        return f"suppressed until {item['suppression']['expires']}"
    return "known" if item["level"] == "error" and item not in failing else str(item["level"])


def _ends(item: Item) -> tuple[str, str]:
    return short(item["dependent"]), short(item["dependency"])


def _write(path: Path | None, text: Any) -> None:
    if path is not None:
        path.write_text(text() + "\n")
