"""What ``whence show`` says of how a thing is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whence.cli.output import Output, moment
from whence.wording import short, span


def print_card(output: Output, card: Mapping[str, Any]) -> None:
    """Versions in use, freshness, consumers, operations and an example; what is not known is left out."""
    if card["in_use"]:
        output.heading("latest version by environment")
        columns = ("environment", "version", "last seen")
        output.table(
            columns, [(one["environment"], one["version"], moment(one["last_seen_at"])) for one in card["in_use"]]
        )
    if card["freshness"]:
        every = card["freshness"]["every_seconds"]
        cadence = f", one every {span(every)}" if every else ""
        output.line(f"latest version came {moment(card['freshness']['latest_at'])}{cadence}")
    if card["consumers"]:
        output.heading("used by")
        output.table(("what", "calls", "owner", "note"), map(_consumer, card["consumers"]))
    if card["operations"]:
        output.heading("operations")
        output.table(("operation", "requests", "errors", "p50", "p95"), map(_operation, card["operations"]))
    if card["how_to_use"]:
        output.heading("how to use it")
        for line in card["how_to_use"].splitlines():
            output.line(f"  {line}")


def _consumer(one: Mapping[str, Any]) -> tuple[object, ...]:
    note = "" if one["declared"] else "not declared"
    return short(one["entity"]), f"{one['calls']:.0f}", one["owner"], note


def _operation(one: Mapping[str, Any]) -> tuple[object, ...]:
    counts = f"{one['requests']:.0f}", f"{one['errors']:.0f}"
    return one["operation"], *counts, _ms(one["p50_ms"]), _ms(one["p95_ms"])


def _ms(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.1f} ms"
