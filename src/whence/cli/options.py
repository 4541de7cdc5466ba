"""Options that several commands share."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from whence.cli.exits import USAGE, Failure

_DURATION = re.compile(r"\d+(\.\d+)?\s*(ms|s|m|h|d|w)\Z")

Url = Annotated[str, typer.Option("--url", envvar="WHENCE_URL", help="Address of the server.")]
Json = Annotated[bool, typer.Option("--json", help="Print the API's JSON, unchanged.")]
Environment = Annotated[str | None, typer.Option("--env", help="One environment; all when absent.")]
Since = Annotated[str, typer.Option("--since", help="How far back: 30m, 2h, 1d, or a time.")]
Until = Annotated[str | None, typer.Option("--until", help="Up to this time; now when absent.")]
Depth = Annotated[int, typer.Option("--depth", min=1, max=12, help="Hops at most.")]
Thing = Annotated[str, typer.Argument(help="A reference (otel://shop#checkout), or a name that is unique.")]

DEFAULT_URL = "http://127.0.0.1:8484"


def as_time(text: str) -> str:
    """What the API takes for a time that a person wrote: ``30m`` means 30 minutes ago."""
    text = text.strip()
    if not text:
        raise Failure(USAGE, "a time is empty; expected 30m, 2h, or 2026-11-23T12:05:00Z")
    return f"-{text}" if _DURATION.match(text) else text
