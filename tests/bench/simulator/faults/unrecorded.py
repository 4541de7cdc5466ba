"""Trouble that no recorded change explains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.bench.simulator.draws import MINUTE_NS
from tests.bench.simulator.effects import FAILS, POOR, SLOW, Effect
from tests.bench.simulator.faults.common import LOUD, Fault, bring, effect, pick_place
from tests.bench.simulator.stage import Stage


def load(stage: Stage) -> Fault:
    """More requests than a service can bear."""
    place = pick_place(stage)
    shows = {SLOW: 0.6, FAILS: 0.4}
    strikes = replace(effect(stage, place.name, shows, [], stage.onset_ns), tenant=None, operation=None)
    return Fault("none", [strikes], surge=stage.draws.uniform(1.8, 4.0))


def provider(stage: Stage) -> Fault:
    """An outside API fails or is slow."""
    place = pick_place(stage)
    place.provider = place.provider or f"api.{stage.namer.word()}.example"
    shows = stage.draws.choice((FAILS, SLOW))
    strikes = Effect(place.provider, shows, stage.draws.log_uniform(0.2, 1.0), stage.onset_ns, slower=8.0)
    return Fault("none", [strikes])


def hardware(stage: Stage) -> Fault:
    """One process of a service is on a bad machine."""
    place = pick_place(stage)
    strikes = effect(stage, place.name, {FAILS: 0.5, SLOW: 0.5}, [], stage.onset_ns)
    number = stage.draws.randrange(place.instances)
    return Fault("none", [replace(strikes, instance=number, share=max(strikes.share, 0.5))])


def drift(stage: Stage) -> Fault:
    """The world changes: more and more answers are poor, in some minutes."""
    place = pick_place(stage)
    steps = [stage.onset_ns + number * 3 * MINUTE_NS for number in range(4)]
    whole = effect(stage, place.name, {POOR: 1.0}, [], stage.onset_ns)
    return Fault("none", [replace(whole, from_ns=at, share=whole.share / 3) for at in steps])


def lost(stage: Stage) -> Fault:
    """New code hurts, but nobody reports it, and its service doesn't tell what it runs."""
    place = pick_place(stage)
    place.tells_version = False
    rollout, versions = bring(stage, "deployment", place.ref, stage.onset_ns)
    stage.unposted.update(one.change_id for one in stage.rollouts[place.ref] if one.start_ns >= rollout.start_ns)
    return Fault("none", [effect(stage, place.name, LOUD, [(place.ref, versions)], stage.onset_ns)])


CLASSES: Mapping[str, Callable[[Stage], Fault]] = {
    "load": load,
    "provider": provider,
    "hardware": hardware,
    "drift": drift,
    "culprit lost": lost,
}
WEIGHTS = {"load": 1.6, "provider": 1.6, "hardware": 1.6, "drift": 1.6, "culprit lost": 1.6}
