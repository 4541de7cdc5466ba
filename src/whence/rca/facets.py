"""The facets of behaviour: how every series moved across every split, as z scores.

Each is measured against its own sampling error and against how much *all* series moved across the same split, so that a
warm-up or a change of load, which moves everything, accuses nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from whence.rca.columns import Floats, Grouping, Ints, median_of_known
from whence.rca.series import Durations, Sides, sides

DURATION_FLOOR = 0.15
"""Least spread of ln(duration) shifts that counts as ordinary."""
CALLS_FLOOR = 0.2
ERRORS_FLOOR = 0.5
MIN_ENTRIES = 3.0
SAID = 1.0
"""Score from which on a movement is one."""
ENOUGH = 0.2
"""Share of the most that any place added which is as good as all of it."""
LEAST = 0.3
"""What is left of the score of a movement that adds next to nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One facet of every series: scores and values at every split, ``[series, splits]``; NaN where unknown."""

    name: str
    owner: Ints
    """Number of the place that each series belongs to."""
    what: tuple[str, ...]
    """The operation or the other end."""
    scores: Floats
    before: Floats
    """Milliseconds (geometric mean), or counts for each request into the place."""
    after: Floats
    added: Floats
    """What the movement adds up to after the split, in all: milliseconds or errors; NaN where that says nothing."""


Usual = tuple[Floats, Floats]
"""Median movement of all series at each split, and its robust spread."""


def usual_of(moved: Floats, floor: float) -> Usual:
    """What all series did together; ``floor`` is the least spread that counts as ordinary."""
    usable = ~np.isnan(moved).all(axis=0)
    middle, spread = np.zeros(moved.shape[1]), np.full(moved.shape[1], floor)
    middle[usable] = median_of_known(moved[:, usable])
    deviation = median_of_known(np.abs(moved[:, usable] - middle[usable]))
    spread[usable] = np.maximum(1.4826 * deviation, floor)
    return middle, spread


def own_time(owner: Ints, what: tuple[str, ...], times: Durations, usual: Usual) -> Measured:
    """Time of each operation that it did not spend in child spans."""
    shift, (middle, spread) = times.shift(), usual
    scores = (shift.moved - middle) / np.sqrt(shift.variance + spread**2)
    before, after = _ms(shift.before), _ms(shift.after)
    return Measured("own_time", owner, what, scores, before, after, times.added())


@dataclass(frozen=True, slots=True)
class Calls:
    """All kinds of call: numbers of both ends, their names, and the time lost between them."""

    caller: Ints
    callee: Ints
    callers: tuple[str, ...]
    callees: tuple[str, ...]
    gaps: Durations

    def turned(self) -> Calls:
        """The same seen from the other end."""
        return Calls(self.callee, self.caller, self.callees, self.callers, self.gaps)


def way_in(calls: Calls, usual: Usual) -> Measured:
    """Time lost on the way into each place."""
    return _way("way_in", calls, usual)


def way_out(calls: Calls, usual: Usual) -> Measured:
    """Time lost on the way from each place to those that it calls."""
    return _way("way_out", calls.turned(), usual)


def _way(name: str, calls: Calls, usual: Usual) -> Measured:
    """All calls into each callee as one, weighted by traffic.

    What the caller loses on its other calls is the caller's: if all of its calls got slow, no callee is to blame.
    """
    shift, (middle, spread) = calls.gaps.shift(), usual
    weight = np.where(np.isnan(shift.moved), 0.0, sides(calls.gaps.weight).after)
    moved = np.nan_to_num(shift.moved - middle)
    moved = moved - np.maximum(_elsewhere(calls.caller, weight, moved), 0.0)
    grouping = Grouping(calls.callee, int(calls.callee.max(initial=-1)) + 1)
    total = grouping.total(weight)
    safe = np.maximum(total, 1e-9)
    variance = grouping.total(weight**2 * shift.variance) / safe**2
    scores = np.where(total > 0, grouping.total(weight * moved) / safe / np.sqrt(variance + spread**2), np.nan)
    before, after = (_ms(grouping.total(weight * side) / safe) for side in (shift.before, shift.after))
    main = tuple(calls.callers[at] for at in grouping.heaviest(calls.gaps.weight[:, -1]))
    present = grouping.present
    added = grouping.total(calls.gaps.added())
    return Measured(name, present, main, scores[present], before[present], after[present], added[present])


def _elsewhere(owner: Ints, weight: Floats, moved: Floats) -> Floats:
    """Mean movement of the other rows of each row's owner; 0 where it has no others."""
    grouping = Grouping(owner, int(owner.max(initial=-1)) + 1)
    others = grouping.total(weight)[owner] - weight
    sums = grouping.total(weight * moved)[owner] - weight * moved
    result: Floats = np.where(others > 1e-9, sums / np.maximum(others, 1e-9), 0.0)
    return result


def calls_made(owner: Ints, what: tuple[str, ...], counts: Sides, entries: Sides) -> Measured:
    """Operations and calls for each request into their place. A missing one is as telling as a new one."""
    ratio = _log_ratio(counts, entries)
    usable = np.minimum(entries.before, entries.after) >= MIN_ENTRIES
    _, spread = usual_of(np.where(usable, ratio, np.nan), CALLS_FLOOR)
    scores = np.where(usable, np.abs(_count_scores(counts, entries, spread)), np.nan)
    return Measured("calls_made", owner, what, scores, *_rates(counts, entries), np.full_like(scores, np.nan))


def less_what_callers_did(facet: Measured, calls: Calls, places: int) -> Measured:
    """Scores beyond those of the places that call: other requests make a place do other things."""
    best = np.nan_to_num(Grouping(facet.owner, places).maximum(facet.scores))
    callers = np.nan_to_num(Grouping(calls.callee, places).maximum(best[calls.caller]))
    return replace(facet, scores=facet.scores - np.maximum(callers[facet.owner], 0.0))


def errors(counts: Sides, entries: Sides) -> Measured:
    """Errors that began at a place, marked or logged, for each request into it."""
    usable = (counts.before + counts.after > 0) & (np.minimum(entries.before, entries.after) >= 1)
    scores = np.where(usable, _count_scores(counts, entries, ERRORS_FLOOR), np.nan)
    owner = np.arange(len(scores), dtype=np.int64)
    before, after = _rates(counts, entries)
    added = (after - before) * entries.after
    return Measured("errors", owner, ("",) * len(scores), scores, before, after, added)


def in_proportion(together: Sequence[Measured]) -> tuple[Measured, ...]:
    """Facets of one unit, without what is too little to matter beside the place where most was added.

    However sure it is that a place got slower: what adds a hundredth of what another adds made nobody wait.
    """
    said = [np.where(one.scores >= SAID, np.nan_to_num(one.added), 0.0).max(axis=0, initial=0.0) for one in together]
    most = np.maximum.reduce(said)
    return tuple(replace(one, scores=one.scores * _share_of(one, most)) for one in together)


def _share_of(facet: Measured, most: Floats) -> Floats:
    share = np.maximum(facet.added, 0.0) / np.maximum(most, 1e-9)
    factor = np.clip(np.sqrt(share / ENOUGH), LEAST, 1.0)
    result: Floats = np.where((facet.scores > 0) & (most > 0), factor, 1.0)
    return result


def _rates(counts: Sides, entries: Sides) -> tuple[Floats, Floats]:
    return counts.before / np.maximum(entries.before, 1e-9), counts.after / np.maximum(entries.after, 1e-9)


def _log_ratio(counts: Sides, entries: Sides) -> Floats:
    """Ln of how a count for each entry changed, with half a count added so that nothing is infinite."""
    after, before = (counts.after + 0.5) / (entries.after + 0.5), (counts.before + 0.5) / (entries.before + 0.5)
    result: Floats = np.log(after) - np.log(before)
    return result


def _count_scores(counts: Sides, entries: Sides, spread: Floats | float) -> Floats:
    """Signed root of the Poisson deviance of a changed rate, shrunk by the ordinary spread of such changes."""
    ratio = _log_ratio(counts, entries)
    pooled = (counts.before + counts.after) / np.maximum(entries.before + entries.after, 1e-9)
    deviance = 2 * (_surprise(counts.before, entries.before * pooled) + _surprise(counts.after, entries.after * pooled))
    root = np.sqrt(np.maximum(deviance, 1e-12))
    result: Floats = ratio / np.sqrt((ratio / root) ** 2 + np.square(spread))
    return result


def _surprise(count: Floats, expected: Floats) -> Floats:
    result: Floats = count * np.log(np.maximum(count, 1e-9) / np.maximum(expected, 1e-9))
    return result


def _ms(log_us: Floats) -> Floats:
    result: Floats = np.exp(log_us) / 1000
    return result
