"""A process that upserts numbered deltas into a file and prints each number once it is durable.

Run as ``python -m tests.contract.embedded_writer FILE WRITER FIRST LAST``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from whence.model.delta import GraphDelta
from whence.store.embedded import EmbeddedStore
from whence.testing.graphs import change, connected, delta, edge, key, link, relation

CALLS = link(key("a"), key("b"))


def numbered(number: int, writer: str) -> GraphDelta:
    """Facts of several tables, which must all arrive or none."""
    new = relation(link(key("a"), key(f"{writer}-{number}")), number)
    facts = (*connected(relation(CALLS, number), new), edge(CALLS, number, writer=writer), edge(new.key, number))
    return delta(*facts, change(f"{writer}-{number}", key("a"), number))


async def write(path: Path, writer: str, numbers: range) -> None:
    store = EmbeddedStore(path)
    await store.open()
    for number in numbers:
        await store.upsert(numbered(number, writer))
        print(number, flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2], range(int(sys.argv[3]), int(sys.argv[4]))))
