"""The embedded store and the processes around it: killed ones, and several at once."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.contract.base import buckets, changes
from tests.contract.embedded_writer import CALLS
from whence.store.embedded import EmbeddedStore
from whence.store.protocol import Store
from whence.testing.graphs import START_S, key

ROOT = Path(__file__).parents[2]


async def start_writer(path: Path, writer: str, first: int, last: int) -> Process:
    arguments = [str(path), writer, str(first), str(last)]
    command = [sys.executable, "-m", "tests.contract.embedded_writer", *arguments]
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)


async def acknowledged_until_killed(process: Process, seconds: float) -> set[int]:
    """Numbers that the process printed before it was killed, some seconds after its first."""
    assert process.stdout is not None
    first = await process.stdout.readline()
    await asyncio.sleep(seconds)
    process.kill()
    rest = await process.stdout.read()
    await process.wait()
    return {int(line) for line in (first + rest).split(b"\n")[:-1]}


async def stored_numbers(store: Store, writer: str) -> tuple[set[int], set[int]]:
    """Numbers that the edge rows show, and those that the changes show."""
    rows = await store.edge_rows(buckets(key("a"), key("b"), to_s=START_S + 1_000_000))
    page = await store.changes(changes(limit=100_000))
    reported = {int(one.id.rpartition("-")[2]) for one in page.items if one.id.startswith(f"{writer}-")}
    return {row.start_s - START_S for row in rows if row.relation == CALLS}, reported


@pytest.mark.parametrize("seed", range(2))
async def test_writer_killed_at_any_moment_keeps_what_it_acknowledged_and_nothing_in_part(
    tmp_path: Path, seed: int
) -> None:
    moments = random.Random(seed)
    path = tmp_path / "whence.db"
    acknowledged: set[int] = set()
    for round_ in range(4):
        process = await start_writer(path, "w", round_ * 10_000, (round_ + 1) * 10_000)
        acknowledged |= await acknowledged_until_killed(process, moments.uniform(0.0, 0.25))
        store = EmbeddedStore(path)
        await store.open()
        counted, reported = await stored_numbers(store, "w")
        await store.close()
        assert acknowledged <= counted
        assert counted == reported
        assert len(counted - acknowledged) <= round_ + 1


async def test_writers_in_several_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "whence.db"
    writers = [await start_writer(path, f"w{i}", 0, 40) for i in range(3)]
    outputs = await asyncio.gather(*(process.communicate() for process in writers))
    assert [len(output.split()) for output, _ in outputs] == [40, 40, 40]
    store = EmbeddedStore(path)
    await store.open()
    rows = await store.edge_rows(buckets(key("a"), key("b")))
    counts = await store.counts()
    await store.close()
    assert sorted(row.start_s - START_S for row in rows) == sorted([*range(40)] * 3)
    assert (counts["relations"], counts["entities"], counts["changes"]) == (121, 122, 120)


async def test_reader_sees_what_another_process_wrote_while_it_was_open(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "whence.db")
    await store.open()
    assert not await store.edge_rows(buckets(key("a"), key("b")))
    process = await start_writer(tmp_path / "whence.db", "w", 0, 3)
    await process.communicate()
    assert len(await store.edge_rows(buckets(key("a"), key("b")))) == 3
    await store.close()
