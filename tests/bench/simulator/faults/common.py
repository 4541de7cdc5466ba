"""What all faults are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tests.bench.simulator.draws import HOUR_NS, MINUTE_NS
from tests.bench.simulator.effects import FAILS, POOR, SLOW, Effect
from tests.bench.simulator.rollouts import Rollout
from tests.bench.simulator.stage import Stage, train, trained_before
from tests.bench.simulator.world import Model, Read, Service, Table, flag_ref

TAKEN_BACK = 0.15
"""Share of guilty roll-outs that somebody takes back while the incident goes on."""
BUILT_ON = 0.15
"""Share of later versions of the same thing that come nevertheless, with the fault in them."""


class Culprit(NamedTuple):
    """One change that is rightly named; by id where it has one, else by what was changed to which version."""

    subject: str
    version: str
    change_id: str = ""
    kind: str = ""


@dataclass(slots=True)
class Fault:
    """What goes wrong in one case. No culprits: nothing that was recorded is to blame."""

    pillar: str
    effects: list[Effect]
    culprits: list[Culprit] = field(default_factory=list)
    needs_all: bool = False
    """Whether the culprits hurt only together."""
    surge: float = 1.0
    """Factor on the traffic from the onset on."""
    guilty: list[Rollout] = field(default_factory=list)
    """Roll-outs of the culprits, where they are some."""


Shows = Mapping[str, float]
LOUD: Shows = {FAILS: 0.55, SLOW: 0.3, POOR: 0.15}
SILENT: Shows = {POOR: 0.75, FAILS: 0.2, SLOW: 0.05}
WRONG: Shows = {POOR: 1.0}
BROKEN: Shows = {FAILS: 0.6, POOR: 0.4}


def effect(stage: Stage, place: str, shows: Shows, needs: Iterable[tuple[str, frozenset[str]]], at_ns: int) -> Effect:
    """An effect of random severity that strikes at a place from an instant on."""
    draws = stage.draws
    service = stage.world.services[place]
    return Effect(
        place=place,
        shows=draws.choices(list(shows), list(shows.values()))[0],
        share=draws.log_uniform(0.15, 1.0),
        from_ns=at_ns,
        needs=tuple(needs),
        tenant=draws.choice(list(stage.world.tenants)) if draws.chance(0.1) else None,
        operation=draws.choice(service.operations) if draws.chance(0.1) else None,
        slower=draws.log_uniform(3.0, 12.0),
    )


def sleep_ns(stage: Stage) -> int:
    """Time from a change to its harm: none mostly, else minutes (a cache, warm-up) or hours (a leak, the next peak)."""
    draws = stage.draws
    kind = draws.choices(("none", "minutes", "hours"), (0.6, 0.25, 0.15))[0]
    if kind == "none":
        return 0
    return int(draws.log_uniform(1, 20) * MINUTE_NS) if kind == "minutes" else int(draws.log_uniform(1, 12) * HOUR_NS)


def pick_place(stage: Stage) -> Service:
    """A service that requests of the symptom get to."""
    return stage.world.services[stage.draws.choice(stage.places)]


def serving(stage: Stage) -> tuple[Service, Model]:
    """A place and a model that it serves; it is given one if none does so far."""
    world, draws = stage.world, stage.draws
    pairs = [(name, model) for name in stage.places for model in world.services[name].models]
    if not pairs:
        place, model = pick_place(stage), draws.choice(sorted(world.models))
        place.models.append(model)
        pairs = [(place.name, model)]
    name, model = draws.choice(pairs)
    return world.services[name], world.models[model]


def reading(stage: Stage, *, shows: str | None = None) -> tuple[Service, Table]:
    """A place and a table that it reads; it is given one if none does so far."""
    world, draws = stage.world, stage.draws
    usual = ("snapshot", "table") if shows is None else (shows,)
    pairs = [(name, read) for name in stage.places for read in world.services[name].reads if read.shows in usual]
    if not pairs:
        free = [one.name for one in world.tables.values() if one.in_database == (shows == "table")]
        read = Read(draws.choice(sorted(free or world.tables)), shows or "snapshot")
        place = pick_place(stage)
        place.reads = [*(one for one in place.reads if one.dataset != read.dataset), read]
        pairs = [(place.name, read)]
    name, read = draws.choice(pairs)
    return world.services[name], world.tables[read.dataset]


def bring(stage: Stage, kind: str, thing: str, at_ns: int, **how: float) -> tuple[Rollout, frozenset[str]]:
    """A guilty roll-out, and the versions that carry its fault: its own, and those that are built on it."""
    stage.rollouts[thing] = [one for one in stage.rollouts.get(thing, ()) if one.start_ns < at_ns]
    rollout = stage.roll_out(kind, thing, at_ns, **how)
    if stage.draws.chance(TAKEN_BACK):
        stage.take_back(rollout, stage.onset_ns + int(stage.draws.uniform(8, 40) * MINUTE_NS))
        return stage.rollouts[thing][-2], frozenset({rollout.version})
    versions = {rollout.version}
    if kind != "flag" and stage.draws.chance(BUILT_ON):
        versions.add(stage.roll_out(kind, thing, stage.onset_ns + int(stage.draws.uniform(5, 40) * MINUTE_NS)).version)
    return rollout, frozenset(versions)


def bring_model(stage: Stage, model: Model, at_ns: int, **how: float) -> tuple[Rollout, frozenset[str]]:
    """The same for a model; its versions were trained some time before."""
    rollout, versions = bring(stage, "model", model.ref, at_ns, **how)
    for version in sorted(versions):
        train(stage, model.name, version, rollout.start_ns - trained_before(stage.draws))
    return rollout, versions


def given_flag(stage: Stage, place: Service) -> str:
    """Reference of a flag of a service; it is given one if it has none so far."""
    if not place.flags:
        place.flags.append(stage.namer.word())
        stage.first[flag_ref(place.flags[0])] = stage.namer.word()
    return flag_ref(stage.draws.choice(place.flags))


def culprit(rollout: Rollout) -> Culprit:
    """The culprit that a roll-out is."""
    return Culprit(rollout.thing, rollout.version, rollout.change_id, rollout.kind)


def stronger(one: Effect, least: float) -> Effect:
    """The same, hurting at least this share."""
    return replace(one, share=max(one.share, least))
