"""The trivial baselines on the very case that the server ranked, read from its store after it has answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from whence.investigate import DEFAULT_OPTIONS, read_case
from whence.model.incident import Incident, Symptom
from whence.rca.baselines import BASELINES, Scores
from whence.rca.case import Case
from whence.store.embedded import EmbeddedStore

BUCKET_S = 15
"""Width of the buckets of a server with default settings."""


def floor_scores(data_dir: Path, entity: str, detected_ns: int) -> Mapping[str, Scores]:
    """Scores of the changes by each baseline, by its name. The store may still be served meanwhile."""
    incident = Incident(Symptom(entity), detected_ns)
    case = asyncio.run(_case(data_dir / "whence.db", incident))
    return {name: baseline(case) for name, baseline in BASELINES.items()}


async def _case(path: Path, incident: Incident) -> Case:
    store = EmbeddedStore(path)
    await store.open()
    try:
        return await read_case(store, incident, now_ns=time.time_ns(), bucket_s=BUCKET_S, options=DEFAULT_OPTIONS)
    finally:
        await store.close()
