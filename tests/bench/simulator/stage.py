"""A system with a day of its history: everything that changed and hurt nobody. Faults are put into it afterwards."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tests.bench.simulator.draws import HOUR_NS, MINUTE_NS, Draws, Namer
from tests.bench.simulator.rollouts import Rollout, Timeline
from tests.bench.simulator.tables import Contents, Defect, Snapshot, usual_contents, widened
from tests.bench.simulator.world import Table, World, flag_ref, prompt_ref

HISTORY_NS = 24 * HOUR_NS
AFTER_NS = 90 * MINUTE_NS
"""How long history goes on after the onset: responders and pipelines don't stop."""
TRAINED_BEFORE_NS = (30 * MINUTE_NS, 6 * HOUR_NS)
ODD_SHARE = 0.02
"""Of sound snapshots that look odd, as on the first of a month."""

PER_DAY = {"deployment": 1.6, "flag": 1.0, "model": 0.6, "config": 0.5, "prompt": 0.6, "infrastructure": 0.4}
"""Changes of each thing of a kind."""
UNSERVED_PER_DAY = 0.1
"""Deployments of a service that are reported, but never serve anybody."""


class Training(NamedTuple):
    """One run that made a version of a model."""

    model: str
    version: str
    at_ns: int
    snapshot: str
    """Version of the table that it was trained on."""


@dataclass(slots=True)
class Stage:
    """Everything that happens, as far as it is decided. ``onset_ns`` is when the fault is to strike."""

    draws: Draws
    namer: Namer
    world: World
    symptom: str
    onset_ns: int
    places: list[str] = field(default_factory=list)
    """Services that enough requests into the symptom get to while they wait."""
    first: dict[str, str] = field(default_factory=dict)
    rollouts: dict[str, list[Rollout]] = field(default_factory=dict)
    notes: list[Rollout] = field(default_factory=list)
    """Changes of no version: configuration, infrastructure, schemas."""
    snapshots: dict[str, list[Snapshot]] = field(default_factory=dict)
    trainings: list[Training] = field(default_factory=list)
    unposted: set[str] = field(default_factory=set)
    """Ids of changes that nobody reports."""

    @property
    def begins_ns(self) -> int:
        """Start of history."""
        return self.onset_ns - HISTORY_NS

    @property
    def ends_ns(self) -> int:
        """End of it."""
        return self.onset_ns + AFTER_NS

    def timeline(self, thing: str) -> Timeline:
        """What a thing runs when."""
        return Timeline(self.first[thing], self.rollouts.get(thing, ()))

    def roll_out(self, kind: str, thing: str, start_ns: int, **how: float) -> Rollout:
        """Bring a new version to a thing, in one of the usual ways unless told how (``ramp_ns``, ``share``)."""
        ramp_ns, share = self._manner(kind)
        rollout = Rollout(
            change_id=self.namer.change_id(),
            kind=kind,
            thing=thing,
            version=self.new_version(kind, thing),
            previous=self.timeline(thing).version(start_ns, 0.5),
            start_ns=start_ns,
            ramp_ns=int(how.get("ramp_ns", ramp_ns)),
            share=how.get("share", share),
        )
        self.rollouts.setdefault(thing, []).append(rollout)
        return rollout

    def take_back(self, rollout: Rollout, at_ns: int) -> Rollout:
        """End a roll-out; the version before returns, which is a change too."""
        mine = self.rollouts[rollout.thing]
        mine[mine.index(rollout)] = replace(rollout, until_ns=at_ns)
        back = replace(
            rollout,
            change_id=self.namer.change_id(),
            version=rollout.previous,
            previous=rollout.version,
            start_ns=at_ns,
            ramp_ns=0,
        )
        self.rollouts[rollout.thing].append(back)
        return back

    def note(self, kind: str, thing: str, at_ns: int, version: str = "") -> Rollout:
        """A change that brings no version that telemetry shows."""
        rollout = Rollout(self.namer.change_id(), kind, thing, version, "", at_ns)
        self.notes.append(rollout)
        return rollout

    def new_version(self, kind: str, thing: str) -> str:
        """The next version in the style of its kind."""
        if kind == "deployment":
            return self.draws.hex(10)
        if kind == "flag":
            return self.namer.word()
        return str(len(self.rollouts.get(thing, ())) + int(self.first[thing]) + 1)

    def snapshot_at(self, table: str, at_ns: int) -> Snapshot:
        """The latest snapshot by an instant, or the first one."""
        mine = self.snapshots[table]
        return mine[max(0, bisect_right(mine, at_ns, key=lambda one: one.at_ns) - 1)]

    def publish(self, table: Table, at_ns: int, contents: Contents) -> Snapshot:
        """Write a snapshot, which its readers take up within their caches' time. In order of time."""
        sources = {name: self.snapshot_at(name, at_ns).version for name in table.sources}
        snapshot = Snapshot(table.name, str(self.draws.getrandbits(60)), at_ns, contents, sources)
        self.snapshots.setdefault(table.name, []).append(snapshot)
        return snapshot

    def spoil(self, table: str, from_ns: int, defect: Defect) -> list[Snapshot]:
        """Give all snapshots of a table from an instant on a defect; gives back these."""
        mine, draws = self.snapshots[table], self.draws
        at = next(number for number, one in enumerate(mine) if one.at_ns >= from_ns)
        model = defect(mine[at].contents, draws)
        mine[at:] = [replace(one, contents=model.wobbled(draws)) for one in mine[at:]]
        return mine[at:]

    def settle_tables(self) -> None:
        """Let readers take up the snapshots; call once they are final."""
        for table in self.world.tables.values():
            mine = self.snapshots[table.name]
            self.first[table.ref] = mine[0].version
            pairs = zip(mine, mine[1:], strict=False)
            self.rollouts[table.ref] = [
                Rollout("", "dataset", table.ref, one.version, old.version, one.at_ns, table.cache_ns)
                for old, one in pairs
            ]

    def _manner(self, kind: str) -> tuple[int, float]:
        draws = self.draws
        if kind == "flag":
            return 0, draws.choice((1.0, 1.0, 0.5, 0.1, 0.05))
        if draws.chance(0.15):
            return int(draws.uniform(0, 3) * MINUTE_NS), draws.choice((0.05, 0.1, 0.2, 0.35))
        return int(draws.choice((0.2, 1, 3, 8, 20)) * draws.uniform(0.7, 1.3) * MINUTE_NS), 1.0


def set_stage(draws: Draws, namer: Namer, world: World, symptom: str, onset_ns: int) -> Stage:
    """A system with a day of innocent changes."""
    stage = Stage(draws, namer, world, symptom, onset_ns)
    flow = world.flow(symptom, through_queues=False)
    stage.places = [name for name, visits in flow.items() if visits >= 0.12 and world.services[name].is_traced]
    _add_tables(stage)
    _add_trainings(stage)
    for service in world.services.values():
        stage.first[service.ref] = draws.hex(10)
        _add_changes(stage, "deployment", service.ref)
        for at in draws.times(UNSERVED_PER_DAY / 24, stage.begins_ns, stage.ends_ns):
            stage.note("deployment", service.ref, at, draws.hex(10))
        for kind in ("config", "infrastructure"):
            for at in draws.times(PER_DAY[kind] / 24, stage.begins_ns, stage.ends_ns):
                stage.note(kind, service.ref, at)
        for name in service.flags:
            stage.first[flag_ref(name)] = namer.word()
            _add_changes(stage, "flag", flag_ref(name))
        for name in service.prompts:
            stage.first[prompt_ref(name)] = str(draws.randint(1, 40))
            _add_changes(stage, "prompt", prompt_ref(name))
    return stage


def _add_changes(stage: Stage, kind: str, thing: str) -> None:
    for at in stage.draws.times(PER_DAY[kind] / 24, stage.begins_ns, stage.ends_ns):
        rollout = stage.roll_out(kind, thing, at)
        if stage.draws.chance(0.06):
            stage.take_back(rollout, at + int(stage.draws.uniform(5, 60) * MINUTE_NS))


def _add_tables(stage: Stage) -> None:
    """Sources before what is made of them."""
    draws = stage.draws
    for table in sorted(stage.world.tables.values(), key=lambda one: len(one.sources)):
        usual = usual_contents(table, draws)
        widens_ns = stage.begins_ns + draws.uniform(0, 1) * HISTORY_NS if draws.chance(0.1) else None
        at = stage.begins_ns - int(draws.uniform(0, 1) * table.every_ns) - 6 * table.every_ns
        while at < stage.ends_ns:
            if widens_ns is not None and at > widens_ns:
                usual, widens_ns = widened(usual, draws), None
            contents = usual.wobbled(draws)
            odd = replace(contents, rows=int(contents.rows * draws.uniform(1.2, 1.6)))
            stage.publish(table, at, odd if draws.chance(ODD_SHARE) else contents)
            at += int(table.every_ns * draws.uniform(0.93, 1.07))


def _add_trainings(stage: Stage) -> None:
    for model in stage.world.models.values():
        stage.first[model.ref] = str(stage.draws.randint(1, 60))
        train(stage, model.name, stage.first[model.ref], stage.begins_ns - HOUR_NS)
        _add_changes(stage, "model", model.ref)
        for rollout in stage.rollouts.get(model.ref, ()):
            train(stage, model.name, rollout.version, rollout.start_ns - trained_before(stage.draws))


def trained_before(draws: Draws) -> int:
    """How long before its roll-out a model is trained."""
    return int(draws.log_uniform(*TRAINED_BEFORE_NS))


def train(stage: Stage, model: str, version: str, at_ns: int) -> Training:
    """Record the run that made a version, once."""
    known = next((one for one in stage.trainings if (one.model, one.version) == (model, version)), None)
    if known is not None:
        return known
    snapshot = stage.snapshot_at(stage.world.models[model].trained_on, at_ns).version
    training = Training(model, version, at_ns, snapshot)
    stage.trainings.append(training)
    return training
