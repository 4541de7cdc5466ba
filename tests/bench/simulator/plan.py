"""A drawn case before anything happens in it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.simulator.draws import MINUTE_NS, SECOND_NS, Draws, Namer
from tests.bench.simulator.estate import build_world
from tests.bench.simulator.faults import CLASSES, WEIGHTS
from tests.bench.simulator.faults.common import Fault
from tests.bench.simulator.feeds import Manners, draw_manners
from tests.bench.simulator.shapes import SHAPES
from tests.bench.simulator.stage import Stage, set_stage
from tests.bench.simulator.traffic import MAX_VISITS, Telling
from tests.bench.simulator.world import World

GIVE_UP_NS = 25 * MINUTE_NS
"""A fault that raised no alert in this time is none; the case is drawn again."""
DECOYS = 0.6
MAX_SPANS_PER_MINUTE = 320.0
SPANS_PER_VISIT = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided beforehand."""

    draws: Draws
    stage: Stage
    fault: Fault
    name: str
    manners: Manners
    telling: Telling
    sampled: float
    """Share of requests that are recorded at all."""
    tells_sampling: bool
    per_minute: float
    """Recorded requests into each entry, before the onset."""
    swing: float
    """How far traffic goes up and down by itself."""
    decoys: tuple[str, ...]
    """Ids of innocent changes at the onset."""
    trainings_told: float
    """Share of trainings that lineage events tell of."""


def draw_plan(draws: Draws, end_ns: int, fault_name: str | None) -> Plan:
    """Draw a case whose question is asked by an instant."""
    onset_ns = end_ns - GIVE_UP_NS - 20 * MINUTE_NS - int(draws.uniform(0, 300) * SECOND_NS)
    namer = Namer(draws)
    world = build_world(draws.choice(sorted(SHAPES)), draws, namer)
    stage = set_stage(draws, namer, world, _symptom(world, draws), onset_ns)
    name = fault_name or draws.choices(list(CLASSES), list(WEIGHTS.values()))[0]
    fault = CLASSES[name](stage)
    stage.settle_tables()
    return Plan(
        draws=draws,
        stage=stage,
        fault=fault,
        name=name,
        manners=draw_manners(draws),
        telling=_telling(world, draws),
        sampled=draws.choices((1.0, 0.5, 0.1, 0.02), (0.55, 0.2, 0.15, 0.1))[0],
        tells_sampling=draws.chance(0.7),
        per_minute=_rate(stage),
        swing=draws.choice((0.0, 0.1, 0.3)),
        decoys=tuple(_add_decoys(stage)) if draws.chance(DECOYS) else (),
        trainings_told=draws.choice((1.0, 1.0, 0.8, 0.0)),
    )


def _symptom(world: World, draws: Draws) -> str:
    """Where it hurts: where requests come in, or where messages are taken up."""
    queued = {call.service for one in world.services.values() for call in one.calls if call.queue}
    flow = {entry: world.flow(entry, through_queues=True) for entry in world.entries}
    busy = sorted(name for name in queued if max(flow[entry].get(name, 0.0) for entry in flow) >= 0.3)
    inner = [name for name in busy if len(world.flow(name, through_queues=False)) > 1]
    return draws.choice(inner) if inner and draws.chance(0.4) else draws.choice(list(world.entries))


def _telling(world: World, draws: Draws) -> Telling:
    return Telling(
        lost_spans=draws.choice((0.0, 0.0, 0.01, 0.03)),
        skew_ns={one: int(draws.gauss(0, 20e6)) for one in world.services} if draws.chance(0.4) else {},
        broken_queues=draws.chance(0.3),
        keep_good=draws.choices((1.0, 0.5, 0.25), (0.8, 0.1, 0.1))[0],
    )


def _rate(stage: Stage) -> float:
    """Requests a minute into each entry: enough reach the symptom, and all together leave not too many spans."""
    world = stage.world
    flows = [world.flow(entry, through_queues=True) for entry in world.entries]
    reaching = sum(flow.get(stage.symptom, 0.0) for flow in flows)
    spans = sum(min(sum(flow.values()), MAX_VISITS) for flow in flows) * SPANS_PER_VISIT
    return min(stage.draws.log_uniform(25, 90) / max(reaching, 0.05), MAX_SPANS_PER_MINUTE / spans)


def _add_decoys(stage: Stage) -> list[str]:
    """Innocent changes near the onset, on the way of the requests."""
    draws, found = stage.draws, []
    for _ in range(draws.randint(1, 3)):
        place = stage.world.services[draws.choice(stage.places)]
        at_ns = stage.onset_ns - int(draws.uniform(-0.3, 6) * MINUTE_NS)
        if all(abs(one.start_ns - at_ns) > 60 * MINUTE_NS for one in stage.rollouts.get(place.ref, ())):
            found.append(stage.roll_out("deployment", place.ref, at_ns).change_id)
        else:
            found.append(stage.note("infrastructure", place.ref, at_ns).change_id)
    return found
