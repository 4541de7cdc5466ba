"""How each service behaved by itself before and after every instant: the places where trouble begins.

A service that only waits for a slow dependency is slow too. So it is judged by what is its own: time not spent in
child spans, time lost on the way into it and out of it, the calls that it makes for each request, and errors. Each
facet is a z score against its own sampling error and against how much *all* places moved across the same instant, so
that a warm-up or a change of load, which moves everything, accuses nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whence.model.graph import EdgeRow, OperationRow
from whence.rca.columns import Floats, Grouping, Ints, numbered
from whence.rca.requests import Requests
from whence.rca.series import Durations, Series, Sides, clock_of, sides
from whence.rca.topology import Topology

DURATION_FLOOR = 0.15
"""Least spread of ln(duration) shifts that counts as ordinary."""
CALLS_FLOOR = 0.2
ERRORS_FLOOR = 0.5
MIN_ENTRIES = 3.0
FACETS = {"own_time": 1.0, "way_in": 1.0, "way_out": 0.7, "calls_made": 0.7, "errors": 1.3}
"""Facets, and how much a z score of each says of the place: calls and the way out move when others are in trouble."""


@dataclass(frozen=True, slots=True)
class Movement:
    """How one place moved across one split."""

    place: str
    facet: str
    score: float
    at_s: int
    """Start of the time after, in epoch seconds."""
    what: str
    """The operation or the other end."""
    before: float
    """Milliseconds (geometric mean), or calls or errors for each request into the place."""
    after: float


@dataclass(frozen=True, slots=True)
class _Measured:
    """One facet of every series: scores and values at every split, ``[series, splits]``."""

    name: str
    owner: Ints
    what: tuple[str, ...]
    scores: Floats
    before: Floats
    after: Floats


class Behaviour:
    """Scores of every service at every split. Cost: O(rows + series x buckets), once."""

    def __init__(
        self, operations: Sequence[OperationRow], edges: Sequence[EdgeRow], requests: Requests, topology: Topology
    ) -> None:
        starts = [row.start_s for row in operations] + [row.start_s for row in edges]
        self.clock = clock_of((*starts, *requests.start_s.tolist()), requests.bucket_s)
        own = Series(
            [(topology.base(row.node), row.operation) for row in operations], starts[: len(operations)], self.clock
        )
        ends = [(topology.base(row.relation.src), topology.base(row.relation.dst)) for row in edges]
        calls = Series(ends, starts[len(operations) :], self.clock)
        _, self._number = numbered(
            [*(owner for owner, _ in own.places), *(end for pair in calls.places for end in pair)]
        )
        self._facets = self._measured(operations, own, edges, calls, self._entries(edges, calls, requests, topology))
        best = [FACETS[one.name] * Grouping(one.owner, len(self._number)).maximum(one.scores) for one in self._facets]
        self.scores: Floats = np.fmax.reduce(best)
        """Strongest facet of each place at each split; NaN where nothing is known."""

    def _best(self, facet: _Measured) -> Floats:
        """The best of many series looks good by chance; what that is worth (2 ln m) is taken off its square."""
        grouping = Grouping(facet.owner, len(self._number))
        best = grouping.maximum(facet.scores)
        chance = 2 * np.log(np.maximum(grouping.sizes, 1))[:, np.newaxis]
        result: Floats = np.where(best > 0, np.sqrt(np.maximum(best**2 - chance, 0.0)), best)
        return result

    def of(self, place: str) -> Floats:
        """Scores of one place at every split; all NaN when no telemetry mentions it."""
        number = self._number.get(place)
        return np.full(self.clock.count + 1, np.nan) if number is None else self.scores[number]

    def known(self, place: str) -> NDArray[np.bool_]:
        """Splits at which something is known of a place."""
        result: NDArray[np.bool_] = ~np.isnan(self.of(place))
        return result

    def movement(self, place: str, split: int) -> Movement:
        """What moved most at a place across a split."""
        number = self._number[place]
        found: tuple[float, _Measured, int] | None = None
        for one in self._facets:
            for series in np.flatnonzero(one.owner == number):
                score = FACETS[one.name] * float(one.scores[series, split])
                if score == score and (found is None or score > found[0]):
                    found = (score, one, int(series))
        assert found is not None, "asked for a movement where nothing is known"
        _, one, at = found
        score = float(self.scores[number, split])
        before, after = float(one.before[at, split]), float(one.after[at, split])
        return Movement(place, one.name, score, self.clock.instant_s(split), one.what[at], before, after)

    def _entries(self, edges: Sequence[EdgeRow], calls: Series, requests: Requests, topology: Topology) -> Floats:
        """Requests into each place, cumulated: what calls and errors are measured against."""
        callee = self._numbers([dst for _, dst in calls.places])
        entries = Grouping(callee, len(self._number)).total(calls.cumulated([row.calls for row in edges]))
        symptom = self._number.get(topology.symptom)
        rows = requests.everything
        if symptom is not None and len(rows):
            outside = Series([("", "")] * len(rows), requests.start_s[rows].tolist(), self.clock)
            entries[symptom] = np.maximum(entries[symptom], outside.cumulated(requests.total[rows].tolist())[0])
        return entries

    def _measured(
        self,
        operations: Sequence[OperationRow],
        own: Series,
        edges: Sequence[EdgeRow],
        calls: Series,
        entries: Floats,
    ) -> tuple[_Measured, ...]:
        operation = self._numbers([owner for owner, _ in own.places])
        caller, callee = (self._numbers([ends[side] for ends in calls.places]) for side in (0, 1))
        names = tuple(what for _, what in own.places)
        callers, callees = (tuple(ends[side] for ends in calls.places) for side in (0, 1))
        own_time = own.durations([row.self_time for row in operations])
        gaps = calls.durations([row.gap for row in edges])
        usual = _usual(np.concatenate([own_time.shift().moved, gaps.shift().moved]), DURATION_FLOOR)
        made = np.concatenate(
            [own.cumulated([row.calls for row in operations]), calls.cumulated([row.calls for row in edges])]
        )
        errors = Grouping(operation, len(self._number)).total(
            own.cumulated([row.origin_errors + row.error_logs for row in operations])
        )
        maker = np.concatenate([operation, caller])
        return (
            _times(operation, names, own_time, usual),
            _ways("way_in", callee, callers, gaps, usual),
            _ways("way_out", caller, callees, gaps, usual),
            _calls_made(maker, (*names, *callees), sides(made), sides(entries[maker])),
            _errors(sides(errors), sides(entries)),
        )

    def _numbers(self, places: Sequence[str]) -> Ints:
        return np.array([self._number[place] for place in places], dtype=np.int64)


Usual = tuple[Floats, Floats]
"""Median movement of all series at each split, and its robust spread."""


def _usual(moved: Floats, floor: float) -> Usual:
    usable = ~np.isnan(moved).all(axis=0)
    middle, spread = np.zeros(moved.shape[1]), np.full(moved.shape[1], floor)
    middle[usable] = np.nanmedian(moved[:, usable], axis=0)
    deviation = np.nanmedian(np.abs(moved[:, usable] - middle[usable]), axis=0)
    spread[usable] = np.maximum(1.4826 * deviation, floor)
    return middle, spread


def _times(owner: Ints, what: tuple[str, ...], times: Durations, usual: Usual) -> _Measured:
    shift, (middle, spread) = times.shift(), usual
    scores = (shift.moved - middle) / np.sqrt(shift.variance + spread**2)
    return _Measured("own_time", owner, what, scores, _ms(shift.before), _ms(shift.after))


def _ways(name: str, owner: Ints, others: tuple[str, ...], gaps: Durations, usual: Usual) -> _Measured:
    """All calls on one side of a place as one, weighted by traffic.

    If one of five callees got slow to reach, the caller is hardly suspect; if all of them did, it is.
    """
    shift, (middle, spread) = gaps.shift(), usual
    weight = np.where(np.isnan(shift.moved), 0.0, sides(gaps.weight).after)
    grouping = Grouping(owner, int(owner.max(initial=-1)) + 1)
    total = np.maximum(grouping.total(weight), 1e-9)
    moved = grouping.total(weight * np.nan_to_num(shift.moved - middle)) / total
    variance = grouping.total(weight**2 * shift.variance) / total**2
    before, after = (grouping.total(weight * side) / total for side in (shift.before, shift.after))
    scores = np.where(grouping.total(weight) > 0, moved / np.sqrt(variance + spread**2), np.nan)
    main = tuple(others[at] for at in grouping.heaviest(gaps.weight[:, -1]))
    present = grouping.present
    return _Measured(name, present, main, scores[present], _ms(before)[present], _ms(after)[present])


def _calls_made(owner: Ints, what: tuple[str, ...], counts: Sides, entries: Sides) -> _Measured:
    """Operations and calls for each request into their place. A missing one is as telling as a new one."""
    ratio = _log_ratio(counts, entries)
    usable = np.minimum(entries.before, entries.after) >= MIN_ENTRIES
    _, spread = _usual(np.where(usable, ratio, np.nan), CALLS_FLOOR)
    scores = np.where(usable, np.abs(_count_scores(counts, entries, spread)), np.nan)
    return _Measured("calls_made", owner, what, scores, *_rates(counts, entries))


def _errors(counts: Sides, entries: Sides) -> _Measured:
    """Errors that began at a place, marked or logged, for each request into it."""
    usable = (counts.before + counts.after > 0) & (np.minimum(entries.before, entries.after) >= 1)
    scores = np.where(usable, _count_scores(counts, entries, ERRORS_FLOOR), np.nan)
    owner = np.arange(len(scores), dtype=np.int64)
    return _Measured("errors", owner, ("",) * len(scores), scores, *_rates(counts, entries))


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
