"""One case from beginning to end: a system, its day, a fault, the alert, and what of it all gets out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.simulator import alarm
from tests.bench.simulator.control import shuffled
from tests.bench.simulator.draws import HOUR_NS, MINUTE_NS, Draws
from tests.bench.simulator.effects import Effect
from tests.bench.simulator.faults.common import Culprit
from tests.bench.simulator.feeds import change_envelopes, lineage_envelopes
from tests.bench.simulator.plan import GIVE_UP_NS, Plan, draw_plan
from tests.bench.simulator.rollouts import Timelines
from tests.bench.simulator.spans import ENVIRONMENT, SERVER, Envelope, SpanRow, log_envelopes, trace_envelopes
from tests.bench.simulator.stage import Stage
from tests.bench.simulator.traffic import Traffic
from whence.model.times import format_time

BEFORE_NS = 22 * MINUTE_NS
"""Full traffic begins so long before the onset; earlier there are only some requests, which show what was in use."""
QUIET_NS = 16 * MINUTE_NS
"""Of that, the time that the alarm learns from."""
SWING_NS = 6 * MINUTE_NS
SPARSE_PER_HOUR = 6
MAX_TRIES = 40


@dataclass(frozen=True, slots=True)
class Truth:
    """What is hidden."""

    fault: str
    pillar: str
    shape: str
    culprits: tuple[Culprit, ...]
    needs_all: bool
    onset_ns: int
    shows: str
    decoys: tuple[str, ...]
    effects: tuple[Effect, ...]
    hardships: tuple[str, ...]

    @property
    def difficulty(self) -> str:
        """A word for the number of hardships."""
        return "easy" if len(self.hardships) < 2 else "medium" if len(self.hardships) < 4 else "hard"


@dataclass(frozen=True, slots=True)
class Case:
    """All that gets out of one case, the question, and the truth."""

    case_id: str
    envelopes: Sequence[Envelope]
    """By arrival."""
    question: Mapping[str, Any]
    symptom: str
    detected_ns: int
    asked_ns: int
    truth: Truth


def draw_case(case_id: str, end_ns: int, *, fault: str | None = None, is_control: bool = False) -> Case:
    """Draw the case of an id; the same arguments give the same bytes.

    Args:
        case_id: Also the seed.
        end_ns: Everything happens before.
        fault: Class of the fault; None draws one.
        is_control: Whether changes are told of other things, at other times, than they happened to.

    Raises:
        RuntimeError: No drawn fault raised an alert, again and again.
    """
    for attempt in range(MAX_TRIES):
        plan = draw_plan(Draws(f"{case_id}/{attempt}"), end_ns, fault)
        case = _play(plan, case_id, is_control=is_control)
        if case is not None:
            return case
    raise RuntimeError(f"case {case_id}: nothing of {MAX_TRIES} raised an alert")


def _play(plan: Plan, case_id: str, *, is_control: bool) -> Case | None:
    """Let it happen; None when nobody would have noticed."""
    stage, draws = plan.stage, plan.draws
    told = shuffled(stage) if is_control else stage
    actual = {thing: stage.timeline(thing) for thing in stage.first}
    shown = {thing: told.timeline(thing) for thing in stage.first} if is_control else actual
    traffic = Traffic(stage.world, Timelines(actual, shown), plan.fault.effects, plan.telling, draws)
    play = _Play(plan, traffic)
    noticed = play.until_noticed()
    if noticed is None:
        return None
    detected_ns, shows = noticed
    asked_ns = detected_ns + int(draws.log_uniform(0.5, 9) * MINUTE_NS)
    play.go_on(asked_ns)
    play.add_history(told)
    envelopes = [*play.envelopes(), *change_envelopes(told, plan.manners, draws)]
    envelopes += lineage_envelopes(told, plan.manners, draws, plan.trainings_told)
    draws.shuffle(envelopes)
    arrived = sorted((one for one in envelopes if one.arrival_ns <= asked_ns), key=lambda one: one.arrival_ns)
    return Case(
        case_id=case_id,
        envelopes=arrived,
        question=_question(plan, detected_ns, shows),
        symptom=stage.world.services[stage.symptom].ref,
        detected_ns=detected_ns,
        asked_ns=asked_ns,
        truth=_truth(plan, shows, asked_ns, arrived),
    )


class _Play:
    """Traffic as time goes by."""

    def __init__(self, plan: Plan, traffic: Traffic) -> None:
        self._plan = plan
        self._traffic = traffic
        self._rows: list[SpanRow] = []
        self._now_ns = plan.stage.onset_ns - BEFORE_NS
        traffic.watched = plan.stage.symptom

    def until_noticed(self) -> tuple[int, str] | None:
        """When and how the alarm was raised; None if it never was."""
        onset_ns, seen = self._plan.stage.onset_ns, self._traffic.seen
        while self._now_ns < onset_ns:
            self.go_on(self._now_ns + MINUTE_NS)
        usual = alarm.usual_of([one for one in seen if one.at_ns < onset_ns - BEFORE_NS + QUIET_NS])
        while self._now_ns < onset_ns + GIVE_UP_NS:
            self.go_on(self._now_ns + MINUTE_NS)
            shows = alarm.raised(seen, usual, self._now_ns)
            if shows is not None:
                return self._now_ns, shows
        return None

    def go_on(self, until_ns: int) -> None:
        """More of the same."""
        plan = self._plan
        surge = plan.fault.surge if self._now_ns >= plan.stage.onset_ns else 1.0
        surge *= 1 + plan.swing * math.sin((self._now_ns - plan.stage.onset_ns) / SWING_NS)
        for entry in plan.stage.world.entries:
            for at_ns in plan.draws.times(plan.per_minute * surge * 60, self._now_ns, until_ns):
                self._rows += self._traffic.request(entry, at_ns)
        self._now_ns = until_ns

    def add_history(self, told: Stage) -> None:
        """Some requests of the hours before, and some right after each change, as if it had been full traffic."""
        begins_ns, ends_ns = told.begins_ns - HOUR_NS, told.onset_ns - BEFORE_NS
        draws, entries = self._plan.draws, self._plan.stage.world.entries
        times = draws.times(SPARSE_PER_HOUR, begins_ns, ends_ns)
        for one in (one for mine in told.rollouts.values() for one in mine if one.kind != "dataset"):
            times += [one.start_ns + int(draws.expovariate(1) * MINUTE_NS / 2) + one.ramp_ns // 2 for _ in range(1)]
        for at_ns in times:
            if begins_ns <= at_ns < ends_ns:
                self._rows += self._traffic.request(draws.choice(list(entries)), at_ns)

    def envelopes(self) -> Iterator[Envelope]:
        """What telemetry sends."""
        plan = self._plan
        says = plan.tells_sampling and plan.sampled < 1
        yield from trace_envelopes(self._rows, f"ot=th:{_threshold(plan.sampled)}" if says else "")
        if plan.stage.world.errors_are_logged:
            yield from log_envelopes([row for row in self._rows if row.failed and row.kind == SERVER])


def _threshold(share: float) -> str:
    return f"{round((1 - share) * (1 << 56)):014x}".rstrip("0")


def _question(plan: Plan, detected_ns: int, shows: str) -> Mapping[str, Any]:
    draws, stage = plan.draws, plan.stage
    symptom = {"entity": stage.world.services[stage.symptom].ref}
    if draws.chance(0.5):
        symptom["signal"] = shows
    question: dict[str, Any] = {"symptom": symptom, "detected_at": format_time(detected_ns)}
    return {**question, "environment": ENVIRONMENT} if draws.chance(0.4) else question


def _truth(plan: Plan, shows: str, asked_ns: int, arrived: Sequence[Envelope]) -> Truth:
    fault, stage = plan.fault, plan.stage
    return Truth(
        fault=plan.name,
        pillar=fault.pillar,
        shape=stage.world.shape,
        culprits=tuple(fault.culprits),
        needs_all=fault.needs_all,
        onset_ns=stage.onset_ns,
        shows=shows,
        decoys=plan.decoys,
        effects=tuple(fault.effects),
        hardships=tuple(_hardships(plan, {_id_of(one) for one in arrived})),
    )


def _id_of(envelope: Envelope) -> str:
    if isinstance(envelope.body, bytes):
        return ""
    context = envelope.body.get("context")
    return str(context["id"] if isinstance(context, Mapping) else envelope.body.get("id", ""))


def _hardships(plan: Plan, reported: set[str]) -> Iterator[str]:
    """What makes a case hard."""
    stage, fault = plan.stage, plan.fault
    places = [stage.world.services[one.place] for one in fault.effects if one.place in stage.world.services]
    if plan.decoys:
        yield "decoys"
    if any(not place.tells_version for place in places):
        yield "untagged place"
    if any(one.change_id and one.change_id not in reported for one in fault.culprits):
        yield "event lost"
    if any(stage.onset_ns - one.start_ns > 10 * MINUTE_NS for one in fault.guilty):
        yield "slept"
    if any(one.share < 0.25 for one in fault.effects):
        yield "mild"
    if plan.sampled < 1 and not plan.tells_sampling or plan.telling.keep_good < 1:
        yield "sampling untold"
    if any(one.tenant or one.operation for one in fault.effects):
        yield "some requests only"
    if stage.world.early_tenant:
        yield "odd canary"
    if stage.world.shape in ("queues", "circles"):
        yield stage.world.shape
