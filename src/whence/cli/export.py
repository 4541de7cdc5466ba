"""``whence export``: the graph around a thing, for other tools."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import typer

from whence.cli.client import Client
from whence.cli.options import DEFAULT_URL, Depth, Environment, Since, Thing, Until, Url, as_time
from whence.cli.output import Output


def export(
    entity: Thing,
    *,
    form: Annotated[
        str, typer.Option("--format", "-o", help="mermaid, dot, graphml, csv, cyclonedx or openlineage.")
    ] = "mermaid",
    downstream: Annotated[bool, typer.Option("--downstream", help="What needs it, in place of what it needs.")] = False,
    since: Since = "1d",
    until: Until = None,
    depth: Depth = 8,
    environment: Environment = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Write the graph around a thing for other tools: pictures, tables, a bill of materials, lineage events."""
    params = {
        "entity": entity,
        "format": form,
        "way": "downstream" if downstream else "upstream",
        "from": as_time(since),
        "to": as_time(until) if until is not None else None,
        "depth": depth,
        "environment": environment,
    }
    query = urlencode({name: value for name, value in params.items() if value is not None})
    Output().raw(Client(url).text(f"/api/v1/export?{query}"))
