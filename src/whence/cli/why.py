"""``whence why``: what changed upstream, in three headings and at most 24 lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from whence.cli.client import Client
from whence.cli.exits import NO_SUSPECT, OK
from whence.cli.options import DEFAULT_URL, Environment, Json, Thing, Url, as_time
from whence.cli.output import Output, clean, moment, progress
from whence.wording import percent, short

SHOWN = 3
_FOR, _AGAINST = 2, 1
_NAMED = frozenset({"suspect", "tie"})

Answer = Mapping[str, Any]


def why(
    entity: Thing,
    *,
    operation: Annotated[str | None, typer.Option("--operation", help="Route or method that hurts.")] = None,
    signal: Annotated[str | None, typer.Option("--signal", help="errors, latency, quality, freshness, volume.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="When it began: 30m ago, or a time.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="When it was noticed; now when absent.")] = None,
    environment: Environment = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Use only what was true by then.")] = None,
    known_at: Annotated[str | None, typer.Option("--known-at", help="Use only what was known by then.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=50, help="Suspects in the answer at most.")] = 10,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Say what changed upstream of a service, model or dataset that hurts, and how likely each change caused it.

    Exits with 0 when a suspect is named, 3 when none is or the data does not suffice.
    """
    times = {"onset": since, "detected_at": at, "as_of": as_of, "known_at": known_at}
    body = {
        "symptom": {"entity": entity, "operation": operation, "signal": signal},
        **{name: as_time(text) for name, text in times.items() if text is not None},
        "environment": environment,
        "limit": limit,
    }
    progress(f"asking {url} ...")
    reply = Client(url).post("/api/v1/investigations", body)
    show_answer(reply.raw, reply.data, url=url, as_json=as_json)


def show_answer(raw: str, answer: Answer, *, url: str, as_json: bool) -> None:
    """Print an answer and end the command with the code that belongs to its verdict."""
    output = Output()
    if as_json:
        output.raw(raw)
    else:
        print_answer(output, answer, url)
    raise typer.Exit(OK if answer["verdict"] in _NAMED else NO_SUSPECT)


def print_answer(output: Output, answer: Answer, url: str) -> None:
    """The three headings."""
    symptom, onset = answer["symptom"], answer["onset"]
    what = " ".join(filter(None, (short(symptom["entity"]), symptom["operation"])))
    output.heading("What's going on")
    output.line(f"  {what}: {symptom['signal'] or 'symptom unclear'}, since {moment(onset['at'])}")
    output.line(f"  {answer['headline']}")
    output.heading("What it points to")
    for suspect in answer["suspects"][:SHOWN]:
        for text, style in _suspect_lines(suspect):
            output.line(text, style)
    output.line(f"  -  {percent(answer['none']['probability'])}  no recorded change explains this{_reasons(answer)}")
    output.heading("What next")
    for text in _next_steps(answer, url):
        output.line(f"  {text}")


def _suspect_lines(suspect: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    change = suspect["change"]
    arrow = f"{clean(change['from'])} -> {clean(change['to'])}"
    yield (
        f"  {suspect['rank']}  {percent(suspect['probability'])} {suspect['band']}  {change['kind']} "
        f"{short(change['subject'])} {arrow}  {moment(change['effective_at'])}{_tail(suspect)}",
        "bold" if suspect["rank"] == 1 else "",
    )
    supporting = [one["sentence"] for one in suspect["evidence"] if one["direction"] == "for"][:_FOR]
    opposing = [one["sentence"] for one in suspect["evidence"] if one["direction"] == "against"][:_AGAINST]
    for sentence in supporting:
        yield f"       for      {sentence}", ""
    for sentence in opposing or ["no counter-evidence found"]:
        yield f"       against  {sentence}", "dim"


def _tail(suspect: Mapping[str, Any]) -> str:
    owner = f"  @{suspect['owner']}" if suspect["owner"] else ""
    return f"  {suspect['role']}{owner}"


def _reasons(answer: Answer) -> str:
    reasons = answer["none"]["reasons"]
    return f" ({reasons[0]})" if reasons else ""


def _next_steps(answer: Answer, url: str) -> Iterator[str]:
    suspects = answer["suspects"]
    if suspects and suspects[0]["settle"]:
        yield f"settle it: {suspects[0]['settle']}"
    if suspects:
        yield f"who else is hit: whence downstream '{suspects[0]['change']['subject']}'"
    else:
        yield f"what changed at all: whence changed --since 1d, or whence upstream '{answer['symptom']['entity']}'"
    for gap in answer["completeness"]["gaps"][:1]:
        yield f"could not see: {gap}"
    ruled_out = len(answer["ruled_out"])
    rest = f" ({ruled_out} ruled out)" if ruled_out else ""
    yield f"the whole answer{rest}: {url.rstrip('/')}/investigations/{answer['id']}"
