"""All commands together."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from whence.cli import catalogue, check, declare, doctor, graph, kpi, policy, server, watch, why
from whence.cli.exits import OK, Failure
from whence.cli.export import export
from whence.cli.incidents import incidents
from whence.cli.mcp import mcp
from whence.cli.output import clean
from whence.cli.postmortem import postmortem

COMMANDS = (
    server.serve,
    server.demo,
    why.why,
    incidents,
    postmortem,
    mcp,
    export,
    catalogue.changed,
    graph.upstream,
    graph.downstream,
    graph.diff,
    catalogue.search,
    catalogue.show,
    declare.undeclared,
    check.check,
    kpi.kpi,
    doctor.doctor,
    server.token,
)

GROUPS = {"declare": declare.declare, "policy": policy.policy, "watch": watch.watch}

app = typer.Typer(
    name="whence",
    help="What changed upstream? Ask a running server, or start one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in COMMANDS:
    app.command()(command)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; gives back the exit code."""
    try:
        app(list(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK
    except Failure as failure:
        for line in failure.lines:
            sys.stderr.write(f"{clean(line)}\n")
        return failure.exit_code
    return OK
