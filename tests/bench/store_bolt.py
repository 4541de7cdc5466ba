"""How fast the Neo4j store writes and reads: ``python -m tests.bench.store_bolt --relations 100000``.

Prints what ``tests.bench.store`` prints of the embedded store, on the same graph and for the same questions. The
server is the one that the tests use; the clock counts, since the CPU is the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Callable
from typing import Any

import neo4j

from tests.bench.store import (
    BATCH_FACTS,
    BUCKETS,
    REPLAYED_BUCKETS,
    SAMPLES,
    investigation_reads,
    spread,
    table,
    upsert_all,
)
from tests.neo4j_server import Neo4jAddress, empty, running_neo4j
from whence.store.bolt import BoltStore
from whence.testing.layered_graphs import WIDTH, batches, folded, node, topology

WARM_UP_READS = 5


async def run(address: Neo4jAddress, relations: int, seed: int) -> dict[str, Any]:
    """All measurements at one size."""
    user, password = address.auth or ("", "")
    store = BoltStore(address.uri, user=user, password=password)
    await store.open()
    try:
        loaded = await upsert_all(store, topology(relations, seed))
        plan_again(address)
        upserted = await upsert_all(store, batches(folded(0, seed, BUCKETS), BATCH_FACTS))
        replayed = await upsert_all(store, batches(folded(0, seed, REPLAYED_BUCKETS), BATCH_FACTS))
        roots = [node(0, 0, index) for index in random.Random(seed).choices(range(WIDTH), k=SAMPLES)]
        for root in roots[:WARM_UP_READS]:
            await investigation_reads(store, root)
        reads = spread([await investigation_reads(store, root) for root in roots])
    finally:
        await store.close()
    return {
        "relations": relations,
        "load facts/s": loaded["facts_per_second"],
        "upsert facts/s": upserted["facts_per_second"],
        "upsert rows/s": upserted["rows_per_second"],
        "replay rows/s": replayed["rows_per_second"],
        "reads": {name: figures for name, figures in reads.items() if "cpu" not in name},
    }


def plan_again(address: Neo4jAddress) -> None:
    """Forget the plans that were made for the empty database; a test server would keep them for an hour."""
    with neo4j.GraphDatabase.driver(address.uri, auth=address.auth) as driver:
        driver.execute_query("CALL db.clearQueryCaches()")


def main(argv: list[str] | None = None, output: Callable[[str], None] = print) -> None:
    """Run at the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--relations", type=int, nargs="+", default=[100_000])
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(argv)
    with running_neo4j() as address:
        for relations in options.relations:
            empty(address)
            output(table(asyncio.run(run(address, relations, options.seed))))


if __name__ == "__main__":
    main()
