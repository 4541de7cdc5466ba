"""What a person sees: progress on standard error, the answer on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.status import Status

Json = Mapping[str, Any]

_MAX_SUSPECTS = 3
_MAX_EVIDENCE = 3
_MAX_RULED_OUT = 3
_LABEL_CHARS = 9


class Screen:
    """Progress and result. As JSON, standard output holds one object and nothing else."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._out = Console(markup=False, highlight=False, soft_wrap=True)
        self._progress = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
        self._status = Status("", console=self._progress)
        self._began = time.monotonic()

    def __enter__(self) -> Screen:
        if self._progress.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._status.stop()

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """Tell what happens now."""
        self._progress.print(f"{self.seconds:5.1f} s  {text}")
        self._status.update(text)

    def show(self, result: Json) -> None:
        """Print the result of a demo."""
        self._status.stop()
        if self._as_json:
            json.dump(result, sys.stdout, indent=2)
            sys.stdout.write("\n")
            return
        self._out.print()
        self._out.print(result["answer"]["headline"], style="bold")
        self._show_answer(result["answer"])
        self._show_judgement(result)

    def _show_answer(self, answer: Json) -> None:
        onset = answer["onset"]
        spread = (_time(onset["high"]) - _time(onset["low"])).total_seconds() / 2
        self._line("symptom", _symptom(answer["symptom"]))
        self._line("onset", f"{_clock(onset['at'])} UTC, give or take {spread:.0f} s")
        for suspect in answer["suspects"][:_MAX_SUSPECTS]:
            self._out.print()
            self._show_suspect(suspect)
        self._out.print()
        self._out.print(f"-  {answer['none']['probability']:.0%}  no recorded change explains this", style="bold")
        for reason in answer["none"]["reasons"]:
            self._line("because", reason)
        for one in answer["ruled_out"][:_MAX_RULED_OUT]:
            self._line("ruled out", f"{_change(one['change'])}: {one['sentence']}")
        more = len(answer["ruled_out"]) - _MAX_RULED_OUT
        if more > 0:
            self._line("", f"and {more} more")

    def _show_suspect(self, suspect: Json) -> None:
        change = suspect["change"]
        source = "reported" if change["recorded"] else "seen in spans only"
        title = f"{suspect['rank']}  {suspect['probability']:.0%} {suspect['band']}  {_change(change)}"
        self._out.print(f"{title}  at {_clock(change['effective_at'])}, {source}", style="bold")
        if suspect["with"]:
            self._line("together", ", ".join(suspect["with"]))
        for direction in ("for", "against"):
            for evidence in _strongest(suspect["evidence"], direction):
                self._line(direction, f"{evidence['sentence']} ({evidence['weight']:+.1f})")
        self._line("path", " → ".join(suspect["path"]))
        if suspect["settle"]:
            self._line("settle", suspect["settle"])

    def _show_judgement(self, result: Json) -> None:
        self._out.print()
        wanted = " and ".join(f"{one['subject']} → {one['version'] or 'nothing new'}" for one in result["truth"])
        verdict = "right" if result["right"] else "WRONG"
        style = "bold green" if result["right"] else "bold red"
        self._out.print(
            f"The answer is {verdict}. What happened: {wanted or 'no change did harm'}. "
            f"(scenario {result['scenario']}, seed {result['seed']}, {result['seconds']:.0f} s)",
            style=style,
        )

    def _line(self, label: str, text: str) -> None:
        self._out.print(f"   {label:<{_LABEL_CHARS}} {text}")


def _strongest(evidence: list[Json], direction: str) -> list[Json]:
    fitting = [one for one in evidence if one["direction"] == direction]
    return sorted(fitting, key=lambda one: -abs(one["weight"]))[:_MAX_EVIDENCE]


def _change(change: Json) -> str:
    versions = f" {change['from'] or '?'} → {change['to']}" if change["to"] else ""
    return f"{change['kind']} {change['subject']}{versions}"


def _symptom(symptom: Json) -> str:
    return " ".join(filter(None, (symptom["signal"], "at", symptom["entity"], symptom["operation"])))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _clock(text: str) -> str:
    return f"{_time(text):%H:%M:%S}"
