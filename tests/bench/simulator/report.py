"""Tables for people, and one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.replay.metrics import Grade, summarise
from tests.bench.simulator import figures
from tests.bench.simulator.faults import ML_CLASSES, REFRESHES
from tests.bench.simulator.figures import Figure
from tests.bench.simulator.judging import Judged


def headline(judged: Sequence[Judged]) -> Mapping[str, Figure]:
    """The figures that bars are set for."""
    return {
        "top-1": figures.first(judged, 1),
        "top-3": figures.first(judged, 3),
        "MRR": figures.reciprocal_rank(judged),
        "none precision": figures.none_precision(judged),
        "none recall": figures.none_recall(judged),
        "decoy hit": figures.decoy_hits(judged),
        "sure and wrong": figures.sure_and_wrong(judged),
        "ECE": figures.calibration_error(judged),
        "ML faults top-3": figures.first([one for one in judged if one.truth.fault in ML_CLASSES], 3),
        "refreshes top-1": figures.first([one for one in judged if one.truth.fault in REFRESHES], 1),
    }


def print_report(judged: Sequence[Judged]) -> None:
    """All tables."""
    for part in (_headline, _rankings, _reliability):
        print("\n".join(part(judged)), end="\n\n")
    for title, key in figures.GROUPS.items():
        groups = {value: [one for one in judged if key(one) == value] for value in sorted(set(map(key, judged)))}
        print("\n".join(_groups(title, groups)), end="\n\n")


def write_json(path: Path, judged: Sequence[Judged], seed: str) -> None:
    """Figures and all cases."""
    document = {
        "seed": seed,
        "figures": {name: figure._asdict() for name, figure in headline(judged).items()},
        "reliability": [one._asdict() for one in figures.reliability(judged)],
        "cases": [_case(one) for one in sorted(judged, key=lambda one: one.case_id)],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _case(one: Judged) -> dict[str, Any]:
    truth = {**asdict(one.truth), "difficulty": one.truth.difficulty}
    truth["effects"] = [
        {"place": effect.place, "shows": effect.shows, "share": effect.share} for effect in one.truth.effects
    ]
    return {**asdict(one), "truth": truth}


def _headline(judged: Sequence[Judged]) -> Iterator[str]:
    seconds = sum(one.seconds for one in judged) / len(judged)
    yield f"{len(judged)} cases, {sum(one.has_culprit for one in judged)} with a culprit; {seconds:.2f} s for each"
    for name, figure in headline(judged).items():
        yield f"{name:<18}{_text(figure)}"


def _text(figure: Figure) -> str:
    return f"{figure.value:6.2f}  {figure.low:.2f}-{figure.high:.2f}  n={figure.cases}"


def _rankings(judged: Sequence[Judged]) -> Iterator[str]:
    yield "ranking          top-1  95 %        top-3   MRR  right"
    rankings: dict[str, Sequence[Grade]] = {"whence": [one.grade for one in judged]}
    for name in judged[0].floors:
        rankings[name] = [one.floors[name] for one in judged]
    for name, grades in rankings.items():
        one = summarise(grades, seed=0)
        interval = f"{one.first_low:.2f}-{one.first_high:.2f}"
        rest = f"{one.first_3:>7.2f}{one.reciprocal_rank:>6.2f}{one.right:>7.2f}"
        yield f"{name:<16}{one.first:>6.2f}  {interval:<10}{rest}"


def _reliability(judged: Sequence[Judged]) -> Iterator[str]:
    yield "claimed        n  mean  came true"
    for one in figures.reliability(judged):
        yield f"{one.low:.1f}-{one.high:.1f}  {one.answers:>6}{one.claimed:>6.2f}{one.true:>11.2f}"


def _groups(title: str, groups: Mapping[str, Sequence[Judged]]) -> Iterator[str]:
    yield f"{'by ' + title:<20}   n  top-1  95 %       top-3   MRR  right  none"
    for name, judged in groups.items():
        one = summarise([case.grade for case in judged], seed=0)
        interval = f"{one.first_low:.2f}-{one.first_high:.2f}"
        yield (
            f"{name:<20}{one.cases:>4}{one.first:>7.2f}  {interval:<9}{one.first_3:>7.2f}{one.reciprocal_rank:>6.2f}"
            f"{one.right:>7.2f}{one.abstained:>6.2f}"
        )
