"""Faults that come with models, prompts and what a provider hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.bench.simulator.draws import HOUR_NS, MINUTE_NS
from tests.bench.simulator.effects import FAILS, POOR, SLOW
from tests.bench.simulator.faults.common import (
    SILENT,
    WRONG,
    Culprit,
    Fault,
    bring,
    bring_model,
    culprit,
    effect,
    pick_place,
    reading,
    serving,
    sleep_ns,
)
from tests.bench.simulator.stage import Stage, Training, train, trained_before
from tests.bench.simulator.tables import Defect, leaking, skewed
from tests.bench.simulator.world import Model, Read, prompt_ref


def roll_out(stage: Stage) -> Fault:
    """A new version of a model is worse: slower, or wrong."""
    place, model = serving(stage)
    rollout, versions = bring_model(stage, model, stage.onset_ns - sleep_ns(stage) // 4)
    shows = {POOR: 0.6, SLOW: 0.25, FAILS: 0.15}
    strikes = effect(stage, place.name, shows, [(model.ref, versions)], stage.onset_ns)
    return Fault("model", [strikes], [culprit(rollout)], guilty=[rollout])


def skewed_sample(stage: Stage) -> Fault:
    """A model was trained on a sample of only some kinds of rows."""
    return _badly_trained(stage, skewed)


def label_leakage(stage: Stage) -> Fault:
    """A model was trained on a column that knows the answer, which no request does."""
    return _badly_trained(stage, leaking)


def rolled_back(stage: Stage) -> Fault:
    """An older model comes back, but the features have moved on since it was trained."""
    place, model = serving(stage)
    stage.rollouts[model.ref] = []
    newer = stage.roll_out(
        "model", model.ref, stage.onset_ns - int(stage.draws.uniform(6, 20) * HOUR_NS), ramp_ns=0, share=1
    )
    train(stage, model.name, newer.version, newer.start_ns - HOUR_NS)
    back = stage.take_back(newer, stage.onset_ns)
    needs = [(model.ref, frozenset({back.version}))]
    return Fault("model", [effect(stage, place.name, SILENT, needs, stage.onset_ns)], [culprit(back)], guilty=[back])


def embedding_mismatch(stage: Stage) -> Fault:
    """A new embedding model searches in an index that the old one filled, until that is built anew."""
    place, model = serving(stage)
    _, table = reading(stage, shows="snapshot")
    if all(read.dataset != table.name for read in place.reads):
        place.reads.append(Read(table.name, "snapshot"))
    rollout, versions = bring_model(stage, model, stage.onset_ns)
    rebuilt_ns = stage.onset_ns + 40 * MINUTE_NS
    old = frozenset(one.version for one in stage.snapshots[table.name] if one.at_ns < rebuilt_ns)
    needs = [(model.ref, versions), (table.ref, old)]
    return Fault(
        "model", [effect(stage, place.name, WRONG, needs, stage.onset_ns)], [culprit(rollout)], guilty=[rollout]
    )


def prompt(stage: Stage) -> Fault:
    """A new version of a prompt."""
    place = pick_place(stage)
    if not place.prompts:
        place.prompts.append(stage.namer.word())
        stage.first[prompt_ref(place.prompts[0])] = str(stage.draws.randint(1, 40))
    thing = prompt_ref(stage.draws.choice(place.prompts))
    rollout, versions = bring(stage, "prompt", thing, stage.onset_ns)
    strikes = effect(stage, place.name, {POOR: 0.8, FAILS: 0.2}, [(thing, versions)], stage.onset_ns)
    return Fault("model", [strikes], [culprit(rollout)], guilty=[rollout])


def provider_model(stage: Stage) -> Fault:
    """A provider changes the model behind a name. Nobody announces it; answers carry another version."""
    place, model = serving(stage)
    rollout, versions = bring(stage, "model", model.ref, stage.onset_ns)
    stage.unposted.add(rollout.change_id)
    strikes = effect(stage, place.name, {POOR: 0.7, SLOW: 0.3}, [(model.ref, versions)], stage.onset_ns)
    return Fault("model", [strikes], [culprit(rollout)], guilty=[rollout])


def _badly_trained(stage: Stage, defect: Defect) -> Fault:
    """The snapshot is the origin, the roll-out brings it here: either is rightly named."""
    place, model = serving(stage)
    trained_ns = stage.onset_ns - trained_before(stage.draws)
    stage.trainings = [one for one in stage.trainings if one.model != model.name or one.at_ns < trained_ns]
    rollout, versions = bring(stage, "model", model.ref, stage.onset_ns)
    training = _trained_on_spoilt(stage, model, rollout.version, trained_ns, defect)
    for version in versions - {rollout.version}:
        train(stage, model.name, version, trained_ns)
    strikes = effect(stage, place.name, WRONG, [(model.ref, versions)], stage.onset_ns)
    origin = Culprit(stage.world.tables[model.trained_on].ref, training.snapshot, kind="dataset")
    return Fault("data", [strikes], [culprit(rollout), origin], guilty=[rollout])


def _trained_on_spoilt(stage: Stage, model: Model, version: str, at_ns: int, defect: Defect) -> Training:
    """Spoil the one snapshot that the model is trained on; those who serve from the table see none of it."""
    training = train(stage, model.name, version, at_ns)
    mine = stage.snapshots[model.trained_on]
    at = next(number for number, one in enumerate(mine) if one.version == training.snapshot)
    mine[at] = replace(mine[at], contents=defect(mine[at].contents, stage.draws))
    return training


CLASSES: Mapping[str, Callable[[Stage], Fault]] = {
    "model roll-out": roll_out,
    "skewed sample": skewed_sample,
    "label leakage": label_leakage,
    "model rolled back": rolled_back,
    "embedding mismatch": embedding_mismatch,
    "prompt": prompt,
    "provider model": provider_model,
}
