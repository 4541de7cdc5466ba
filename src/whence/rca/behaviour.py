"""How each service behaved by itself before and after every instant: the places where trouble begins.

A service that only waits for a slow dependency is slow too. So it is judged by what is its own: time not spent in
child spans, time lost on the way into it and out of it, the calls that it makes for each request, and errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whence.model.kinds import RelationType, Signal
from whence.model.rows import EdgeRows, Names, OperationRows
from whence.rca import facets
from whence.rca.case import Case
from whence.rca.columns import Floats, Grouping, Ints, in_first_order, numbered
from whence.rca.facets import Calls, Measured
from whence.rca.requests import Requests
from whence.rca.series import Clock, Place, Series, clock_of, sides
from whence.rca.topology import Topology

SCALE = {"own_time": 1.0, "way_in": 1.0, "way_out": 0.7, "calls_made": 0.7, "errors": 1.3, "poor": 1.3}
"""How much a z score of each facet says of the place: calls and the way out also move when others are in trouble."""
DIMMED = {
    Signal.ERRORS: {"own_time": 0.5, "way_in": 0.5, "way_out": 0.5, "calls_made": 0.5},
    Signal.LATENCY: {"errors": 0.6},
    Signal.QUALITY: {"own_time": 0.5, "way_in": 0.5, "way_out": 0.5},
}
"""What is left of it under a signal that the facet explains badly: a fresh process is slow, but that fails nobody."""


@dataclass(frozen=True, slots=True)
class Movement:
    """How one place moved across one split."""

    place: str
    facet: str
    score: float
    at_s: int
    """Start of the time after, in epoch seconds."""
    what: str
    before: float
    after: float


class Behaviour:
    """Scores of every service at every split. Cost: O(rows + series x buckets), once."""

    def __init__(self, case: Case, requests: Requests, topology: Topology, signal: Signal | None) -> None:
        dimmed = DIMMED.get(signal, {}) if signal is not None else {}
        counts = _Counts(case, requests, topology)
        self.clock: Clock = counts.clock
        self._number = counts.number
        self._facets = (*counts.facets(), *((counts.poor(),) if signal is Signal.QUALITY else ()))
        best = [
            SCALE[one.name] * dimmed.get(one.name, 1.0) * Grouping(one.owner, len(self._number)).maximum(one.scores)
            for one in self._facets
        ]
        self.scores: Floats = np.fmax.reduce(best)
        """Strongest facet of each place at each split; NaN where nothing is known."""
        self._strongest: Ints = np.argmax(np.nan_to_num(best, nan=-np.inf), axis=0)
        """Number of that facet."""
        self.places: tuple[str, ...] = tuple(self._number)
        """Entities, in the order of the rows of ``scores``."""

    def of(self, place: str) -> Floats:
        """Scores of one place at every split; all NaN when no telemetry mentions it."""
        number = self._number.get(place)
        return np.full(self.clock.count + 1, np.nan) if number is None else self.scores[number]

    def known(self, place: str) -> NDArray[np.bool_]:
        """Splits at which something is known of a place."""
        result: NDArray[np.bool_] = ~np.isnan(self.of(place))
        return result

    def movement(self, place: str, split: int) -> Movement:
        """What moved most at a place across a split at which something is known of it."""
        number = self._number[place]
        facet = self._facets[self._strongest[number, split]]
        mine = np.flatnonzero(facet.owner == number)
        series = mine[int(np.nanargmax(facet.scores[mine, split]))]
        return Movement(
            place=place,
            facet=facet.name,
            score=float(self.scores[number, split]),
            at_s=self.clock.instant_s(split),
            what=facet.what[series],
            before=float(facet.before[series, split]),
            after=float(facet.after[series, split]),
        )


class _Counts:
    """Rows of a case as series by place."""

    def __init__(self, case: Case, requests: Requests, topology: Topology) -> None:
        own, calls = case.operations, case.edges
        self.clock = clock_of(np.concatenate([own.start_s, calls.start_s, requests.start_s]), requests.bucket_s)
        self._case = case
        self._requests = requests
        self._symptom = topology.symptom
        self._own = Series(_operations(own, topology), own.start_s, self.clock)
        self._calls = Series(_ends(calls, topology), calls.start_s, self.clock)
        owners = [owner for owner, _ in self._own.places]
        _, self.number = numbered([*owners, *(end for pair in self._calls.places for end in pair)])

    def facets(self) -> tuple[Measured, ...]:
        """Every facet of every place."""
        case, places = self._case, len(self.number)
        operation = self._numbers([owner for owner, _ in self._own.places])
        operations = tuple(what for _, what in self._own.places)
        calls = self._as_calls()
        own_time = self._own.durations(case.operations.self_time)
        moved = np.concatenate([own_time.shift().moved, calls.gaps.shift().moved])
        usual = facets.usual_of(moved, facets.DURATION_FLOOR)
        called = self._calls.cumulated(case.edges.calls)
        made = np.concatenate([self._own.cumulated(case.operations.calls), called])
        maker = np.concatenate([operation, calls.caller])
        errors = self._errors(operation, calls)
        entries = self._entries(calls.callee, called)
        calls_made = facets.calls_made(maker, (*operations, *calls.callees), sides(made), sides(entries[maker]))
        return (
            *facets.in_proportion(
                (
                    facets.own_time(operation, operations, own_time, usual),
                    facets.way_in(calls, usual),
                    facets.way_out(calls, usual),
                )
            ),
            facets.less_what_callers_did(calls_made, calls, places),
            *facets.in_proportion([facets.errors(sides(errors), sides(entries))]),
        )

    def poor(self) -> Measured:
        """Poor outcomes, where they were seen; not at the symptom, where the last judge sits."""
        operation = self._numbers([owner for owner, _ in self._own.places])
        poor = Grouping(operation, len(self.number)).total(self._own.cumulated(self._case.operations.poor))
        if self._symptom in self.number:
            poor[self.number[self._symptom]] = 0.0
        calls = self._as_calls()
        entries = self._entries(calls.callee, self._calls.cumulated(self._case.edges.calls))
        return replace(facets.errors(sides(poor), sides(entries)), name="poor")

    def _errors(self, operation: Ints, calls: Calls) -> Floats:
        """Errors that began at each place, marked or logged.

        Those of calls to somebody who tells nothing began there, not at the caller, which has them too.
        """
        rows, places = self._case.operations, len(self.number)
        marked, logged = (
            Grouping(operation, places).total(self._own.cumulated(one)) for one in (rows.origin_errors, rows.error_logs)
        )
        failed = self._failed_outside(calls)
        of_callers = Grouping(calls.caller, places).total(failed)
        own = _less(marked, of_callers) + _less(logged, of_callers)
        return own + Grouping(calls.callee, places).total(failed)

    def _failed_outside(self, calls: Calls) -> Floats:
        """Failed calls of each kind to places that tell nothing themselves."""
        edges = self._case.edges
        is_call = np.array([one.type is RelationType.CALLS for one in edges.relation.values], dtype=np.bool_)
        failed = self._calls.cumulated(np.where(is_call[edges.relation.codes], edges.origin_errors, 0.0))
        telling = {owner for owner, _ in self._own.places}
        failed[[callee in telling for callee in calls.callees]] = 0.0
        return failed

    def _as_calls(self) -> Calls:
        callers, callees = (tuple(ends[side] for ends in self._calls.places) for side in (0, 1))
        gaps = self._calls.durations(self._case.edges.gap)
        return Calls(self._numbers(callers), self._numbers(callees), callers, callees, gaps)

    def _entries(self, callee: Ints, calls: Floats) -> Floats:
        """Requests into each place, cumulated: what calls and errors are measured against.

        Only in buckets of which more than the requests was read, or the first of them would look like a beginning.
        """
        entries = Grouping(callee, len(self.number)).total(calls)
        symptom, rows = self.number.get(self._symptom), self._requests.everything
        if symptom is not None and len(rows):
            starts = self._requests.start_s[rows]
            told = np.isin(starts, np.concatenate([self._case.operations.start_s, self._case.edges.start_s]))
            outside = Series(Names.only(("", ""), len(rows)), starts, self.clock)
            total = outside.cumulated(np.where(told, self._requests.total[rows], 0.0))[0]
            entries[symptom] = np.maximum(entries[symptom], total)
        return entries

    def _numbers(self, places: tuple[str, ...] | list[str]) -> Ints:
        return np.array([self.number[place] for place in places], dtype=np.int64)


def _less(cumulated: Floats, others: Floats) -> Floats:
    """Cumulated counts without those of others, never below nothing in any bucket."""
    rest = np.maximum(np.diff(cumulated, axis=1) - np.diff(others, axis=1), 0.0)
    return np.concatenate([np.zeros((len(rest), 1)), np.cumsum(rest, axis=1)], axis=1)


def _operations(rows: OperationRows, topology: Topology) -> Names[Place]:
    """Entity and operation of each row."""
    owners, operations = Names.of([topology.base(node) for node in rows.node.values]), rows.operation
    owner = owners.codes[rows.node.codes]
    codes, first = in_first_order(owner * len(operations.values) + operations.codes)
    pairs = zip(owner[first].tolist(), operations.codes[first].tolist(), strict=True)
    return Names(tuple((owners.values[one], operations.values[what]) for one, what in pairs), codes)


def _ends(rows: EdgeRows, topology: Topology) -> Names[Place]:
    """Entities at both ends of each row."""
    ends = Names.of([(topology.base(key.src), topology.base(key.dst)) for key in rows.relation.values])
    return Names(ends.values, ends.codes[rows.relation.codes])
