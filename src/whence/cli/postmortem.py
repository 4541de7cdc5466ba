"""``whence postmortem``: a draft from frozen evidence."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from whence.cli.client import Client
from whence.cli.exits import USAGE, Failure
from whence.cli.options import DEFAULT_URL, Url
from whence.cli.output import Output

FORMATS = ("md", "html", "json")
_NOUNS = {"inc-": "incidents", "inv-": "investigations"}


def postmortem(
    of: Annotated[str, typer.Argument(help="Id of an incident (inc-...) or an answer (inv-...).")],
    *,
    form: Annotated[str, typer.Option("--format", "-o", help="md, html or json.")] = "md",
    url: Url = DEFAULT_URL,
) -> None:
    """Draft a postmortem: what was measured is filled in, what only people can write is asked for."""
    noun = _NOUNS.get(of[:4])
    if noun is None:
        raise Failure(USAGE, f"{of!r} is no id of an incident (inc-...) or an answer (inv-...)")
    if form not in FORMATS:
        raise Failure(USAGE, f"--format: expected one of {', '.join(FORMATS)}")
    Output().raw(Client(url).text(f"/api/v1/{noun}/{quote(of, safe='')}/postmortem?format={form}"))
