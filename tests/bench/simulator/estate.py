"""From a call graph to a whole system: who uses which model, data, flag, prompt and provider, and who tells it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from tests.bench.simulator import shapes
from tests.bench.simulator.draws import HOUR_NS, MINUTE_NS, Draws, Namer
from tests.bench.simulator.world import Model, Read, Service, Table, World

MAX_SERVICES = 24
_CADENCES_NS = (15 * MINUTE_NS, HOUR_NS, HOUR_NS, HOUR_NS, 3 * HOUR_NS, 6 * HOUR_NS)


def build_world(shape: str, draws: Draws, namer: Namer) -> World:
    """Draw a system of a shape."""
    layers = shapes.build(shape, draws, namer, draws.randint(7, MAX_SERVICES))
    services = {one.name: one for one in chain(*layers)}
    tables = _tables(draws, namer)
    models = _models(draws, namer, tables)
    inner = [one.name for one in chain(*layers[1:])]
    _furnish([services[name] for name in inner], draws, namer, list(models), list(tables.values()))
    _hide([services[name] for name in inner], draws)
    tenants = [namer.word() for _ in range(draws.randint(2, 4))]
    return World(
        shape=shape,
        entries=[one.name for one in layers[0]],
        services=services,
        models=models,
        tables=tables,
        tenants=tenants,
        early_tenant=tenants[0] if draws.chance(0.2) else "",
        outcome_at_entry=draws.chance(0.5),
        errors_are_logged=draws.chance(0.3),
    )


def _tables(draws: Draws, namer: Namer) -> dict[str, Table]:
    """Raw tables, and tables derived from them."""
    raw = [_table(draws, namer, ()) for _ in range(draws.randint(2, 4))]
    derived = [_table(draws, namer, _some(draws, [one.name for one in raw])) for _ in range(draws.randint(3, 6))]
    return {one.name: one for one in (*raw, *derived)}


def _table(draws: Draws, namer: Namer, sources: Sequence[str]) -> Table:
    return Table(
        name=f"{namer.word()}/{namer.word()}",
        job=namer.word(),
        sources=tuple(sources),
        every_ns=draws.choice(_CADENCES_NS),
        columns=tuple(namer.word() for _ in range(draws.randint(3, 8))),
        rows=int(draws.log_uniform(5_000, 5_000_000)),
        has_profile=draws.chance(0.8),
        cache_ns=int(draws.choice((0.2, 1, 5, 15)) * MINUTE_NS),
        in_database=draws.chance(0.15),
    )


def _models(draws: Draws, namer: Namer, tables: dict[str, Table]) -> dict[str, Model]:
    derived = [one.name for one in tables.values() if one.sources]
    found = [Model(namer.word(), namer.word(), draws.choice(derived)) for _ in range(draws.randint(2, 4))]
    return {one.name: one for one in found}


def _furnish(services: list[Service], draws: Draws, namer: Namer, models: list[str], tables: list[Table]) -> None:
    """Give everything a user, and some users several things."""
    for model in models:
        draws.choice(services).models.append(model)
    serving = [one for one in services if one.models]
    for table in tables:
        reader = draws.choice(serving if draws.chance(0.6) else services)
        shows = "table" if table.in_database else "nothing" if draws.chance(0.12) else "snapshot"
        reader.reads.append(Read(table.name, shows))
    for _ in range(draws.randint(3, 7)):
        draws.choice(services).flags.append(namer.word())
    for _ in range(draws.randint(1, 2)):
        draws.choice(services).prompts.append(namer.word())
    for _ in range(draws.randint(1, 2)):
        draws.choice(services).provider = f"api.{namer.word()}.example"
    for one in services:
        one.poor_rate = draws.log_uniform(0.005, 0.05) if one.models else 0.0


def _hide(services: list[Service], draws: Draws) -> None:
    """Not everybody tells everything."""
    for one in services:
        one.tells_version = draws.chance(0.87)
        one.is_traced = draws.chance(0.95)
        one.passes_context = draws.chance(0.6)


def _some(draws: Draws, names: Sequence[str]) -> list[str]:
    return draws.sample(list(names), draws.randint(1, min(2, len(names))))
