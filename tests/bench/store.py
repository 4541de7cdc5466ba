"""How fast the embedded store writes and reads: ``python -m tests.bench.store --relations 100000``.

Prints, and writes as JSON if asked, rows per second of upserts beside a plain INSERT of the same rows in the same run,
and the time of what an investigation reads (closure, changes, rows of counts) by the size of what was read. Figures
of a shared machine differ widely from run to run: compare the ratio, and the CPU time of all threads beside the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from whence.model.delta import GraphDelta
from whence.model.times import NS_PER_SECOND
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import BucketQuery, ChangeQuery, ClosureQuery, Store
from whence.testing.layered_graphs import END_S, WIDTH, batches, folded, node, topology

BATCH_FACTS = 2_000
BUCKETS = 40
REPLAYED_BUCKETS = 5
WINDOW_S = 1_800
LOOKBACK_S = 7 * 86_400
SAMPLES = 40
T = TypeVar("T")
Figures = dict[str, float]


class Spent(NamedTuple):
    """Seconds by the clock, and of CPU in all threads."""

    wall: float
    cpu: float

    @staticmethod
    def so_far() -> Spent:
        return Spent(time.perf_counter(), time.process_time())

    def since(self, began: Spent) -> Spent:
        return Spent(self.wall - began.wall, self.cpu - began.cpu)


async def timed(work: Awaitable[T]) -> tuple[Spent, T]:
    """What it took, and the result."""
    began = Spent.so_far()
    result = await work
    return Spent.so_far().since(began), result


async def upsert_all(store: Store, deltas: Iterable[GraphDelta]) -> Figures:
    """Rates of facts of every sort and of rows of counts; the time to make the deltas doesn't count."""
    facts, rows, wall, cpu = 0, 0, 0.0, 0.0
    for delta in deltas:
        took, _ = await timed(store.upsert(delta))
        facts, rows, wall, cpu = facts + delta.rows, rows + len(delta.edges), wall + took.wall, cpu + took.cpu
    return {"facts_per_second": facts / wall, "rows_per_second": rows / wall, "rows_per_cpu_second": rows / cpu}


def insert_all(path: Path, deltas: Iterable[GraphDelta]) -> Figures:
    """The baseline: rates of plain INSERTs of the same counts, text keys and all, one commit a batch."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE plain(src, type, dst, environment, layer, start, writer, n, c, e, o, latency, gap)"
    )
    rows, wall, cpu = 0, 0.0, 0.0
    for delta in deltas:
        began = Spent.so_far()
        connection.execute("BEGIN")
        table = ((*key.relation, key.start_s, key.writer, *counts) for key, counts in delta.edges.items())
        connection.executemany("INSERT INTO plain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", table)
        connection.execute("COMMIT")
        took = Spent.so_far().since(began)
        rows, wall, cpu = rows + len(delta.edges), wall + took.wall, cpu + took.cpu
    connection.close()
    return {"rows_per_second": rows / wall, "rows_per_cpu_second": rows / cpu}


async def investigation_reads(store: Store, root: str) -> Figures:
    """Milliseconds of each read of an investigation, and how much it read."""
    end_ns = END_S * NS_PER_SECOND
    closure = ClosureQuery((root,), end_ns - WINDOW_S * NS_PER_SECOND, end_ns + 1)
    upstream, graph = await timed(store.upstream(closure))
    nodes = tuple(graph.entities)
    changes, page = await timed(store.changes(ChangeQuery(end_ns - LOOKBACK_S * NS_PER_SECOND, end_ns, nodes)))
    edges, rows = await timed(store.edge_rows(BucketQuery(nodes, END_S - WINDOW_S, END_S)))
    downstream, _ = await timed(store.downstream(replace(closure, roots=nodes[-1:])))
    spent = {"upstream": upstream, "changes": changes, "edge_rows": edges, "downstream": downstream}
    sizes = {"relations": len(graph.relations), "nodes": len(nodes), "changes": len(page.items), "rows": len(rows)}
    walls = {f"{name}_ms": one.wall * 1_000 for name, one in spent.items()}
    return {**sizes, **walls, **{f"{name}_cpu_ms": one.cpu * 1_000 for name, one in spent.items()}}


def spread(samples: list[Figures]) -> dict[str, Figures]:
    """Median and 95th percentile of every column."""
    columns = {name: sorted(sample[name] for sample in samples) for name in samples[0]}
    return {name: {"p50": statistics.median(one), "p95": one[int(len(one) * 0.95)]} for name, one in columns.items()}


async def run(relations: int, seed: int, folder: Path) -> dict[str, Any]:
    """All measurements at one size."""
    store = EmbeddedStore(folder / "whence.db")
    await store.open()
    loaded = await upsert_all(store, topology(relations, seed))
    inserted = insert_all(folder / "plain.db", batches(folded(0, seed, BUCKETS), BATCH_FACTS))
    upserted = await upsert_all(store, batches(folded(0, seed, BUCKETS), BATCH_FACTS))
    replayed = await upsert_all(store, batches(folded(0, seed, REPLAYED_BUCKETS), BATCH_FACTS))
    roots = [node(0, 0, index) for index in random.Random(seed).choices(range(WIDTH), k=SAMPLES)]
    await investigation_reads(store, roots[0])
    reads = spread([await investigation_reads(store, root) for root in roots])
    await store.close()
    return {
        "relations": relations,
        "load facts/s": loaded["facts_per_second"],
        **_rates("plain insert", inserted),
        **_rates("upsert", upserted),
        **_rates("replay", replayed),
        "upsert to plain insert": upserted["rows_per_second"] / inserted["rows_per_second"],
        "reads": reads,
    }


def _rates(name: str, figures: Figures) -> Figures:
    return {f"{name} rows/s": figures["rows_per_second"], f"{name} rows/CPU s": figures["rows_per_cpu_second"]}


def table(figures: dict[str, Any]) -> str:
    """The figures of one size, for people."""
    rates = [f"{name:32}{value:>12,.1f}" for name, value in figures.items() if name != "reads"]
    reads = [f"{name:32}{one['p50']:>12,.1f}{one['p95']:>12,.1f}" for name, one in figures["reads"].items()]
    return "\n".join([*rates, f"{'':32}{'p50':>12}{'p95':>12}", *reads])


def main(argv: list[str] | None = None, output: Callable[[str], None] = print) -> None:
    """Run at the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--relations", type=int, nargs="+", default=[100_000])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args(argv)
    results = []
    for relations in options.relations:
        with tempfile.TemporaryDirectory() as folder:
            results.append(asyncio.run(run(relations, options.seed, Path(folder))))
        output(table(results[-1]))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
