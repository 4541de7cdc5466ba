"""The same over the network, to a whence that is started for it: slow, and to see that it makes no difference."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.bench.replay.floors import BUCKET_S
from tests.bench.replay.target import Target, started_server
from tests.bench.simulator.delivery import INVESTIGATIONS, Outcome, floors, posts
from tests.bench.simulator.feeds import CHANGES
from tests.bench.simulator.story import Case
from whence.model.change import Change
from whence.model.times import format_time
from whence.rca.baselines import Scores
from whence.store.embedded import EmbeddedStore


def deliver_over_http(case: Case) -> Outcome:
    """Send everything, wait until it is stored, ask. Instants must be past: the server's clock is the real one."""
    with started_server() as target:
        for path in ("/v1/traces", "/v1/logs"):
            target.send(path, [one.body for one in case.envelopes if one.path == path and isinstance(one.body, bytes)])
        target.settle()
        for _, path, document in posts(case.envelopes):
            _post(target, path, document)
        answer = target.post(INVESTIGATIONS, {**case.question, "as_of": format_time(case.asked_ns)})
        if target.data_dir is None:
            raise RuntimeError("a server that was started here has a data directory")
        return Outcome(answer, *asyncio.run(_floors(target.data_dir / "whence.db", case)))


def _post(target: Target, path: str, document: object) -> None:
    """Post a document; of a list that is refused for one of its members, the others."""
    try:
        target.post(path, document)
    except RuntimeError as error:
        if path != CHANGES or f"answered {httpx.codes.UNPROCESSABLE_ENTITY.value}" not in str(error):
            raise
        for one in document if isinstance(document, list) and len(document) > 1 else ():
            _post(target, path, [one])


async def _floors(path: Path, case: Case) -> tuple[Mapping[str, Scores], Mapping[str, Change]]:
    store = EmbeddedStore(path)
    await store.open()
    try:
        return await floors(store, case, BUCKET_S)
    finally:
        await store.close()
