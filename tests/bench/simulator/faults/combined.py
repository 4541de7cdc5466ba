"""Two changes of different pillars that hurt only together, and two that hurt each by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.bench.simulator.draws import MINUTE_NS
from tests.bench.simulator.effects import FAILS, POOR
from tests.bench.simulator.faults.common import (
    BROKEN,
    LOUD,
    SILENT,
    Culprit,
    Fault,
    bring,
    bring_model,
    culprit,
    effect,
    given_flag,
    pick_place,
    reading,
    serving,
    stronger,
)
from tests.bench.simulator.faults.data import align
from tests.bench.simulator.stage import Stage


def model_and_flag(stage: Stage) -> Fault:
    """A flag sends requests down a way that a new model doesn't know."""
    place, model = serving(stage)
    switch = given_flag(stage, place)
    earlier = stage.onset_ns - int(stage.draws.log_uniform(10, 300) * MINUTE_NS)
    first, versions = bring_model(stage, model, earlier, share=stage.draws.choice((0.3, 0.5, 1.0)))
    second, variants = bring(stage, "flag", switch, stage.onset_ns, share=stage.draws.choice((0.3, 0.5, 1.0)))
    needs = [(model.ref, versions), (switch, variants)]
    strikes = stronger(effect(stage, place.name, {FAILS: 0.5, POOR: 0.5}, needs, stage.onset_ns), 0.4)
    return Fault("combined", [strikes], [culprit(first), culprit(second)], needs_all=True, guilty=[first, second])


def code_and_data(stage: Stage) -> Fault:
    """New code can't read what the next snapshot holds."""
    place, table = reading(stage, shows="snapshot")
    earlier = stage.onset_ns - int(stage.draws.log_uniform(10, 300) * MINUTE_NS)
    first, versions = bring(stage, "deployment", place.ref, earlier, share=stage.draws.choice((0.3, 0.5, 1.0)))
    align(stage, table, stage.onset_ns)
    fresh = [one for one in stage.snapshots[table.name] if one.at_ns >= stage.onset_ns]
    needs = [(place.ref, versions), (table.ref, frozenset(one.version for one in fresh))]
    strikes = stronger(effect(stage, place.name, BROKEN, needs, 0), 0.4)
    second = Culprit(table.ref, fresh[0].version, kind="dataset")
    return Fault("combined", [strikes], [culprit(first), second], needs_all=True, guilty=[first])


def independent(stage: Stage) -> Fault:
    """A deploy and a model roll-out hurt within minutes of each other."""
    place, (host, model) = pick_place(stage), serving(stage)
    first, versions = bring(stage, "deployment", place.ref, stage.onset_ns)
    second, others = bring_model(stage, model, stage.onset_ns + int(stage.draws.uniform(0, 3) * MINUTE_NS))
    effects = [
        effect(stage, place.name, LOUD, [(place.ref, versions)], stage.onset_ns),
        effect(stage, host.name, SILENT, [(model.ref, others)], stage.onset_ns),
    ]
    return Fault("combined", effects, [culprit(first), culprit(second)], guilty=[first, second])


CLASSES: Mapping[str, Callable[[Stage], Fault]] = {
    "model and flag": model_and_flag,
    "code and data": code_and_data,
    "two at once": independent,
}
