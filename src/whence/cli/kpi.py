"""``whence kpi``: figures by pillar and team, and the facts behind one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from whence.cli.client import Client, Reply
from whence.cli.options import DEFAULT_URL, Environment, Json, Since, Until, Url, as_time
from whence.cli.output import Output, moment
from whence.wording import amount, bars, short


def kpi(
    name: Annotated[str | None, typer.Argument(help="One figure: show the facts behind it.")] = None,
    *,
    team: Annotated[str | None, typer.Option("--team", help="Only what this owner has.")] = None,
    product: Annotated[str | None, typer.Option("--product", help="Only what this product rests on.")] = None,
    pillar: Annotated[str | None, typer.Option("--pillar", help="code, model or data.")] = None,
    since: Since = "30d",
    until: Until = None,
    environment: Environment = None,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show figures of code, models and data, for everybody and each team, beside the time before."""
    path = "/api/v1/kpis" if name is None else f"/api/v1/kpis/{quote(name, safe='')}"
    reply = Client(url).get(
        path,
        **{"from": as_time(since), "to": as_time(until) if until is not None else None},
        team=team,
        product=product,
        pillar=pillar if name is None else None,
        environment=environment,
    )
    output = Output()
    if as_json:
        output.raw(reply.raw)
    elif name is None:
        _print_figures(output, reply)
    else:
        rows = [
            (moment(one["at"]), short(one["subject"]), one["owner"], f"{one['value']:g}", one["detail"])
            for one in reply.data["items"]
        ]
        output.table(("when", "what", "owner", "value", "detail"), rows)
    if reply.data["truncated"] and not as_json:
        output.line("there are more things than were looked at: these are figures of a part", "bold")


def _print_figures(output: Output, reply: Reply) -> None:
    rows = [
        (
            one["pillar"],
            one["name"],
            one["team"] or "everybody",
            one["reason"] or amount(one["value"], one["unit"]),
            amount(one["p90"], one["unit"]),
            amount(one["p95"], one["unit"]),
            amount(one["before"], one["unit"]),
            bars(one["trend"]),
            one["facts"],
            ", ".join(f"{each['product']}: {each['kpi']}" for each in one["drives"]),
        )
        for one in reply.data["items"]
    ]
    output.table(("pillar", "figure", "team", "value", "p90", "p95", "before", "trend", "facts", "drives"), rows)
    output.hint("next: whence kpi <figure>")
