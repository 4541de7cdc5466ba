"""Faults that come with data: bad refreshes, refreshes that never came, and schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tests.bench.simulator.draws import HOUR_NS, MINUTE_NS
from tests.bench.simulator.faults.common import BROKEN, SILENT, WRONG, Culprit, Fault, effect, reading
from tests.bench.simulator.stage import Stage
from tests.bench.simulator.tables import (
    Defect,
    Snapshot,
    category_remap,
    null_burst,
    renamed,
    torn,
    unit_change,
    unseen,
)
from tests.bench.simulator.world import Table


def bad_refresh(defect: Defect) -> Callable[[Stage], Fault]:
    """The fault that a snapshot with a defect is, read directly or through a table made of it."""

    def fault(stage: Stage) -> Fault:
        place, table = reading(stage)
        origin = stage.world.tables[stage.draws.choice(table.sources)] if _by_source(stage, table) else table
        spoilt = _spoil(stage, origin, defect)
        harmful = _made_of(stage, table, spoilt) if origin is not table else spoilt
        needs = [(table.ref, frozenset(one.version for one in harmful))]
        return Fault(
            "data", [effect(stage, place.name, SILENT, needs, 0)], _blamed(stage, origin, spoilt, table, harmful)
        )

    return fault


def _by_source(stage: Stage, table: Table) -> bool:
    return bool(table.sources) and table.every_ns <= HOUR_NS and stage.draws.chance(0.3)


def _spoil(stage: Stage, table: Table, defect: Defect) -> list[Snapshot]:
    """Make a refresh of the table fall on the onset, and give it and all later ones the defect."""
    align(stage, table, stage.onset_ns)
    return stage.spoil(table.name, stage.onset_ns, defect)


def align(stage: Stage, table: Table, at_ns: int) -> None:
    """Shift a table's refreshes so that one falls on an instant."""
    mine = stage.snapshots[table.name]
    shift = at_ns - min((one.at_ns for one in mine), key=lambda at: abs(at - at_ns))
    stage.snapshots[table.name] = [replace(one, at_ns=one.at_ns + shift) for one in mine]


def _made_of(stage: Stage, table: Table, spoilt: Sequence[Snapshot]) -> list[Snapshot]:
    """Snapshots of a table since a source of it is spoilt; its next run takes the defect up."""
    origin, first = spoilt[0].table, spoilt[0]
    align(stage, table, first.at_ns + int(stage.draws.uniform(0.5, 25) * MINUTE_NS))
    mine = stage.snapshots[table.name]
    for at, one in enumerate(mine):
        mine[at] = replace(one, sources={**one.sources, origin: stage.snapshot_at(origin, one.at_ns).version})
    return [one for one in mine if one.at_ns >= first.at_ns]


def _blamed(
    stage: Stage, origin: Table, spoilt: Sequence[Snapshot], table: Table, harmful: Sequence[Snapshot]
) -> list[Culprit]:
    until = harmful[0].at_ns + table.cache_ns
    bad = [Culprit(origin.ref, one.version, kind="dataset") for one in spoilt if one.at_ns <= until]
    return bad + [Culprit(table.ref, one.version, kind="dataset") for one in harmful[:1] if origin is not table]


def stale(stage: Stage) -> Fault:
    """A refresh doesn't come any more, and after a while answers are out of date."""
    place, table = reading(stage)
    overdue = stage.draws.uniform(1.7, 6) * min(table.every_ns, HOUR_NS)
    last_ns = stage.onset_ns - table.every_ns - int(overdue)
    mine = stage.snapshots[table.name]
    kept = [one for one in mine if one.at_ns <= last_ns] or mine[:1]
    back_ns = stage.onset_ns + 3 * HOUR_NS
    stage.snapshots[table.name] = kept + [one for one in mine if one.at_ns > back_ns]
    needs = [(table.ref, frozenset({kept[-1].version}))]
    strikes = effect(stage, place.name, WRONG, needs, stage.onset_ns)
    return Fault("data", [strikes], [Culprit(table.ref, "", kind="staleness")])


def schema_rename(shows: str) -> Callable[[Stage], Fault]:
    """The fault that a renamed column is to a reader; ``shows`` says what telemetry knows of the reading."""

    def fault(stage: Stage) -> Fault:
        place, table = reading(stage, shows=shows)
        spoilt = _spoil(stage, table, renamed)
        note = stage.note("schema", table.ref, stage.onset_ns - int(stage.draws.uniform(0, 2) * MINUTE_NS))
        needs = [(table.ref, frozenset(one.version for one in spoilt))]
        strikes = effect(stage, place.name, BROKEN, needs, 0)
        blamed = _blamed(stage, table, spoilt, table, spoilt)
        return Fault("data", [strikes], [Culprit(note.thing, "", note.change_id, "schema"), *blamed], guilty=[note])

    return fault


REFRESHES: Mapping[str, Callable[[Stage], Fault]] = {
    "null burst": bad_refresh(null_burst),
    "unit change": bad_refresh(unit_change),
    "category remap": bad_refresh(category_remap),
    "torn refresh": bad_refresh(torn),
    "wrong values": bad_refresh(unseen),
}
CLASSES: Mapping[str, Callable[[Stage], Fault]] = {
    **REFRESHES,
    "stale features": stale,
    "schema rename": schema_rename("snapshot"),
    "undeclared reader": schema_rename("table"),
    "untold reader": schema_rename("nothing"),
}
