"""Figures over judged cases, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.bench.replay.metrics import RESAMPLES, bootstrap_interval
from tests.bench.simulator.judging import Judged

BINS = 10
Floats = NDArray[np.float64]


class Figure(NamedTuple):
    """A share with its 95 % interval and the number of cases behind it; NaN of none."""

    value: float
    low: float
    high: float
    cases: int


def share(values: Sequence[float]) -> Figure:
    """Mean of values in [0, 1]."""
    if not values:
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    low, high = bootstrap_interval(values, seed=0)
    return Figure(sum(values) / len(values), low, high, len(values))


def first(judged: Sequence[Judged], within: int) -> Figure:
    """Top-1, top-3: chance that a culprit is among the first, over cases that have one."""
    return share([one.grade.within(within) for one in judged if one.has_culprit])


def reciprocal_rank(judged: Sequence[Judged]) -> Figure:
    """MRR over cases with a culprit."""
    return share([one.grade.place.reciprocal_rank if one.grade.place else 0.0 for one in judged if one.has_culprit])


def none_precision(judged: Sequence[Judged]) -> Figure:
    """Of the answers "none": those where nothing recorded was to blame."""
    return share([float(not one.has_culprit) for one in judged if one.grade.abstained])


def none_recall(judged: Sequence[Judged]) -> Figure:
    """Of the cases where nothing recorded was to blame: those answered "none"."""
    return share([float(one.grade.abstained) for one in judged if not one.has_culprit])


def decoy_hits(judged: Sequence[Judged]) -> Figure:
    """Cases with a decoy in which it was put forward as likely."""
    return share([float(one.fell_for_decoy) for one in judged if one.truth.decoys])


def sure_and_wrong(judged: Sequence[Judged]) -> Figure:
    """Answers that put an innocent change forward as likely."""
    return share([one.grade.confidently_wrong for one in judged])


class Bin(NamedTuple):
    """Statements of about one probability: how many, what was claimed, and what came true."""

    low: float
    high: float
    answers: int
    claimed: float
    true: float


def reliability(judged: Sequence[Judged]) -> list[Bin]:
    """Each answer's leading statement, a suspect or "none", by the probability that it claims."""
    claimed, true = _statements(judged)
    number = np.minimum((claimed * BINS).astype(int), BINS - 1)
    return [
        Bin(at / BINS, (at + 1) / BINS, int(mine.sum()), float(claimed[mine].mean()), float(true[mine].mean()))
        for at in range(BINS)
        if (mine := number == at).any()
    ]


def calibration_error(judged: Sequence[Judged]) -> Figure:
    """ECE in ten bins, with a bootstrap interval."""
    claimed, true = _statements(judged)
    if not len(claimed):
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    picks = np.random.default_rng(0).integers(len(claimed), size=(RESAMPLES // 4, len(claimed)))
    low, high = np.percentile([_ece(claimed[pick], true[pick]) for pick in picks], [2.5, 97.5])
    return Figure(_ece(claimed, true), float(low), float(high), len(claimed))


def _statements(judged: Sequence[Judged]) -> tuple[Floats, Floats]:
    pairs = [_statement(one) for one in judged]
    return np.array([claim for claim, _ in pairs]), np.array([float(is_true) for _, is_true in pairs])


def _statement(one: Judged) -> tuple[float, bool]:
    if not one.named or one.none_probability >= one.top_probability:
        return one.none_probability, not one.has_culprit
    return one.named[0]


def _ece(claimed: Floats, true: Floats) -> float:
    number = np.minimum((claimed * BINS).astype(int), BINS - 1)
    gaps = [abs(float((claimed[number == at] - true[number == at]).sum())) for at in range(BINS)]
    return sum(gaps) / len(claimed)


GROUPS: dict[str, Callable[[Judged], str]] = {
    "fault": lambda one: one.truth.fault,
    "pillar": lambda one: one.truth.pillar,
    "difficulty": lambda one: one.truth.difficulty,
    "shape": lambda one: one.truth.shape,
}
