"""Faults that come with code, flags and configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.bench.simulator.effects import FAILS, POOR
from tests.bench.simulator.faults.common import LOUD, Fault, bring, culprit, effect, given_flag, pick_place, sleep_ns
from tests.bench.simulator.stage import Stage


def deploy(stage: Stage) -> Fault:
    """New code hurts, at once or after a while."""
    place, sleep = pick_place(stage), sleep_ns(stage)
    rollout, versions = bring(stage, "deployment", place.ref, stage.onset_ns - sleep)
    strikes = effect(stage, place.name, LOUD, [(place.ref, versions)], stage.onset_ns)
    return Fault("code", [strikes], [culprit(rollout)], guilty=[rollout])


def flag(stage: Stage) -> Fault:
    """A flag lets requests into code that hurts."""
    place = pick_place(stage)
    switch = given_flag(stage, place)
    rollout, versions = bring(stage, "flag", switch, stage.onset_ns - sleep_ns(stage) // 4)
    strikes = effect(stage, place.name, LOUD, [(switch, versions)], stage.onset_ns)
    return Fault("code", [strikes], [culprit(rollout)], guilty=[rollout])


def threshold(stage: Stage) -> Fault:
    """A threshold is set wrongly: good answers are thrown away. No version shows it."""
    place = pick_place(stage)
    note = stage.note("config", place.ref, stage.onset_ns - sleep_ns(stage) // 8)
    strikes = effect(stage, place.name, {POOR: 0.7, FAILS: 0.3}, [], stage.onset_ns)
    return Fault("code", [replace(strikes, operation=None)], [culprit(note)], guilty=[note])


CLASSES: Mapping[str, Callable[[Stage], Fault]] = {"deploy": deploy, "flag": flag, "threshold": threshold}
WEIGHTS = {"deploy": 2.5, "flag": 1.5}
ML_CLASSES = ("threshold",)
