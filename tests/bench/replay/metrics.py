"""Grades of rankings: where the guilty change stands, tie-aware, and what it was worth to abstain.

Candidates of one score share their places: whoever puts all seven first is right in one of seven cases, whatever order
it lists them in. Accuracies are therefore expectations over the order within ties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where one candidate stands: ``ahead`` score better, ``tied`` share its score, itself counted."""

    ahead: int
    tied: int = 1

    def within(self, first: int) -> float:
        """Chance in [0, 1] to be among the ``first`` places."""
        return min(max((first - self.ahead) / self.tied, 0.0), 1.0)

    @property
    def reciprocal_rank(self) -> float:
        """Expected 1 / rank."""
        return sum(1 / rank for rank in range(self.ahead + 1, self.ahead + self.tied + 1)) / self.tied


@dataclass(frozen=True, slots=True)
class Grade:
    """One ranking of one case.

    ``place`` is None where the guilty one isn't ranked, and where there is none that could be (``answerable`` False).
    ``confident`` says that a name was put forward as likely.
    """

    answerable: bool
    place: Place | None
    abstained: bool
    confident: bool = False

    def within(self, first: int) -> float:
        """Chance that the guilty change is among the ``first`` places."""
        return self.place.within(first) if self.place else 0.0

    @property
    def right(self) -> float:
        """Chance that what it says is right: the guilty one named first, or abstaining where there is none."""
        if not self.answerable:
            return float(self.abstained)
        return 0.0 if self.abstained else self.within(1)

    @property
    def confidently_wrong(self) -> float:
        """Chance that it put forward an innocent change as likely."""
        return (1 - self.within(1)) if self.confident else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over cases, each in [0, 1]. Accuracies are over the answerable ones, all else over all cases."""

    cases: int
    answerable: int
    first: float
    """AC@1."""
    first_low: float
    """Lower end of its 95 % bootstrap interval."""
    first_high: float
    first_3: float
    first_5: float
    reciprocal_rank: float
    right: float
    abstained: float
    confidently_wrong: float


def place_of(truth: str, scores: Mapping[str, float]) -> Place | None:
    """Where ``truth`` stands among scored candidates, greater is better; None where it has no score."""
    own = scores.get(truth)
    if own is None:
        return None
    return Place(
        ahead=sum(score > own for score in scores.values()), tied=sum(score == own for score in scores.values())
    )


def summarise(grades: Sequence[Grade], seed: int) -> Summary:
    """Means of at least one grade; accuracies are 0 where nothing was answerable."""
    answerable = [grade for grade in grades if grade.answerable]
    firsts = [grade.within(1) for grade in answerable]
    low, high = bootstrap_interval(firsts, seed)
    return Summary(
        cases=len(grades),
        answerable=len(answerable),
        first=_mean(firsts),
        first_low=low,
        first_high=high,
        first_3=_mean([grade.within(3) for grade in answerable]),
        first_5=_mean([grade.within(5) for grade in answerable]),
        reciprocal_rank=_mean([grade.place.reciprocal_rank if grade.place else 0.0 for grade in answerable]),
        right=_mean([grade.right for grade in grades]),
        abstained=_mean([grade.abstained for grade in grades]),
        confidently_wrong=_mean([grade.confidently_wrong for grade in grades]),
    )


def bootstrap_interval(values: Sequence[float], seed: int) -> tuple[float, float]:
    """95 % percentile interval of the mean, over seeded resamples of the cases; (0, 0) of nothing."""
    if not values:
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(values), size=(RESAMPLES, len(values)))
    means = np.asarray(values, dtype=float)[picks].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
