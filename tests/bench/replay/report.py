"""Tables for people and one JSON document for diffs between runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.replay.grading import Result
from tests.bench.replay.metrics import Grade, Summary, summarise
from tests.bench.replay.run import Options

OURS = "whence"
_HEADER = "ranking           AC@1  95 %        AC@3  AC@5   MRR  right  abstain  sure+wrong"


def print_report(results: Sequence[Result], options: Options, seed: int) -> None:
    """One table for each group and for all, each ranking beside the floors, then ours by fault and kind."""
    groups = sorted({result.group for result in results})
    for group in [*groups, *(["all"] if len(groups) > 1 else [])]:
        chosen = [result for result in results if group in ("all", result.group)]
        print("\n".join(_table(group, chosen, options, seed)), end="\n\n")
    for title, key in _SLICES.items():
        print("\n".join(_slices(title, key, results)), end="\n\n")


def write_json(path: Path, results: Sequence[Result], options: Options) -> None:
    """All cases, ordered by id, with places instead of means: two files differ where two runs did."""
    document = {"options": asdict(options), "cases": [_case(result) for result in _ordered(results)]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _table(group: str, results: Sequence[Result], options: Options, seed: int) -> Iterator[str]:
    rankings = _rankings(results)
    ours = summarise(rankings[OURS], seed)
    wait, ask = _mean_seconds(results)
    yield f"{group}: {ours.cases} incidents, {ours.answerable} with a recorded culprit, level {options.level}"
    yield _HEADER
    for name, grades in rankings.items():
        yield _row(name, summarise(grades, seed), has_claims=name == OURS)
    yield f"{wait:.2f} s per incident to send and fold, {ask * 1000:.0f} ms to answer"
    unanswered = sum(not result.suspects for result in results)
    if unanswered:
        yield f"{unanswered} of {len(results)} answers name nothing"
    late = sum(result.course.late_traces > 0 for result in results)
    if late:
        yield f"{late} of {len(results)} incidents had traces cut in two, because this machine was too busy: run again"


def _rankings(results: Sequence[Result]) -> Mapping[str, Sequence[Grade]]:
    floors = results[0].floors
    return {
        OURS: [result.grade for result in results],
        **{name: [result.floors[name] for result in results] for name in floors},
    }


def _row(name: str, summary: Summary, *, has_claims: bool) -> str:
    wrong = f"{summary.confidently_wrong:.2f}" if has_claims else "-"
    interval = f"{summary.first_low:.2f}-{summary.first_high:.2f}"
    return (
        f"{name:<16}{summary.first:>6.2f}  {interval:<10}{summary.first_3:>6.2f}{summary.first_5:>6.2f}"
        f"{summary.reciprocal_rank:>6.2f}{summary.right:>7.2f}{summary.abstained:>9.2f}{wrong:>12}"
    )


_SLICES: Mapping[str, Callable[[Result], str]] = {
    "by fault": lambda result: f"{result.group} {result.fault}",
    "by kind of the guilty change": lambda result: result.kind,
}


def _slices(title: str, key: Callable[[Result], str], results: Sequence[Result]) -> Iterator[str]:
    yield f"{title:<32}   n  AC@1  AC@3   MRR  right  abstain  sure+wrong"
    for value in sorted({key(result) for result in results}):
        summary = summarise([result.grade for result in results if key(result) == value], seed=0)
        yield (
            f"{value:<32}{summary.cases:>4}{summary.first:>6.2f}{summary.first_3:>6.2f}{summary.reciprocal_rank:>6.2f}"
            f"{summary.right:>7.2f}{summary.abstained:>9.2f}{summary.confidently_wrong:>12.2f}"
        )


def _mean_seconds(results: Sequence[Result]) -> tuple[float, float]:
    waits = [result.course.send_seconds + result.course.settle_seconds for result in results]
    asks = [result.course.ask_seconds for result in results]
    return sum(waits) / len(waits), sum(asks) / len(asks)


def _case(result: Result) -> dict[str, Any]:
    course = {name: round(value, 3) for name, value in result.course._asdict().items()}
    return {**asdict(result), "suspects": [one._asdict() for one in result.suspects], "course": course}


def _ordered(results: Sequence[Result]) -> list[Result]:
    return sorted(results, key=lambda result: result.case_id)
