"""The control: the same trouble, but every change is told of another thing and at another time.

Whoever finds the guilty change in that has found something that isn't in the evidence.
"""

from __future__ import annotations

from dataclasses import replace

from tests.bench.simulator.draws import Draws
from tests.bench.simulator.rollouts import Rollout
from tests.bench.simulator.stage import Stage
from tests.bench.simulator.tables import Snapshot


def shuffled(stage: Stage) -> Stage:
    """The stage as it is told to the outside: what is told keeps ids, kinds and versions, not places and times."""
    told = replace(stage, rollouts={}, notes=_dealt(stage.notes, stage.draws), snapshots=_contents_dealt(stage))
    for kind in sorted({one.kind for mine in stage.rollouts.values() for one in mine}):
        mine = [one for rollouts in stage.rollouts.values() for one in rollouts if one.kind == kind]
        for one in mine if kind == "dataset" else _dealt(mine, stage.draws):
            told.rollouts.setdefault(one.thing, []).append(one)
    return told


def _dealt(rollouts: list[Rollout], draws: Draws) -> list[Rollout]:
    """The same changes, places and times, dealt anew."""
    places, times = [one.thing for one in rollouts], [one.start_ns for one in rollouts]
    draws.shuffle(places)
    draws.shuffle(times)
    dealt = zip(rollouts, places, times, strict=True)
    return [replace(one, thing=place, start_ns=at, until_ns=None) for one, place, at in dealt]


def _contents_dealt(stage: Stage) -> dict[str, list[Snapshot]]:
    """Every table's snapshots in another order of contents, so that a defect shows at another time."""
    found = {}
    for name, mine in stage.snapshots.items():
        contents = [one.contents for one in mine]
        stage.draws.shuffle(contents)
        found[name] = [replace(one, contents=held) for one, held in zip(mine, contents, strict=True)]
    return found
