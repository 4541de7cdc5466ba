"""Bring a case to a whence without a network: the real engine, store and API, on a made-up clock."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import httpx

from tests.bench.simulator.feeds import CHANGES, LINEAGE
from tests.bench.simulator.spans import Envelope
from tests.bench.simulator.story import Case
from whence.api.app import create_app
from whence.collector.engine import Batch, PortableEngine, Request, Signal
from whence.fold import SpanFolder
from whence.investigate import DEFAULT_OPTIONS, read_case
from whence.model.change import Change
from whence.model.delta import GraphDelta
from whence.model.incident import Incident, Symptom
from whence.otlp import DecodeLimits, Encoding
from whence.rca import baselines
from whence.rca.baselines import Scores
from whence.rca.scene import scene_of
from whence.rca.weights import DEFAULT_WEIGHTS
from whence.settings import Settings
from whence.store.embedded import EmbeddedStore

INVESTIGATIONS = "/api/v1/investigations"
MOST_AT_ONCE = 300
_SIGNALS = {"/v1/traces": Signal.TRACES, "/v1/logs": Signal.LOGS}


class Outcome(NamedTuple):
    """What whence made of a case."""

    answer: Mapping[str, Any]
    """Body of the answer to the investigation."""
    floors: Mapping[str, Scores]
    """Scores of every trivial baseline; empty where the store can't be read."""
    changes: Mapping[str, Change]
    """What they scored, by id."""


class Clock:
    """Stands where it was put."""

    now_ns = 0

    def __call__(self) -> int:
        """The made-up present."""
        return self.now_ns


def deliver(case: Case) -> Outcome:
    """Send everything in order of arrival, ask, and score the baselines on what was stored."""
    with tempfile.TemporaryDirectory(prefix="whence-simulator-") as folder:
        return asyncio.run(_deliver(case, Path(folder)))


async def _deliver(case: Case, folder: Path) -> Outcome:
    store, clock = EmbeddedStore(folder / "whence.db"), Clock()
    settings = Settings(data_dir=folder)
    await store.open()
    try:
        app = create_app(store=store, settings=settings, ingest=None, clock=clock)
        await store.upsert(_folded(case, settings))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://whence") as client:
            for arrival_ns, path, document in posts(case.envelopes):
                clock.now_ns = arrival_ns
                await _post(client, path, document)
            clock.now_ns = case.asked_ns
            answer = await _post(client, INVESTIGATIONS, case.question)
        return Outcome(answer, *await floors(store, case, settings.bucket_seconds))
    finally:
        await store.close()


def _folded(case: Case, settings: Settings) -> GraphDelta:
    """Rows of all telemetry, as one collector would have written them by the time of the question."""
    folder = SpanFolder(
        writer="simulator",
        bucket_s=settings.bucket_seconds,
        idle_ns=round(settings.trace_idle_seconds * 1e9),
        ttl_ns=round(settings.trace_ttl_seconds * 1e9),
        max_open_spans=settings.max_open_spans,
    )
    engine = PortableEngine(folder, DecodeLimits())
    for envelope in case.envelopes:
        if isinstance(envelope.body, bytes):
            request = Request(_SIGNALS[envelope.path], Encoding.PROTOBUF, is_gzip=False, body=envelope.body)
            batch: Batch = engine.decode(request, envelope.arrival_ns)
            if batch.rejections.total:
                raise RuntimeError(f"case {case.case_id}: {batch.rejections}")
            engine.apply(batch, envelope.arrival_ns)
    engine.expire(case.asked_ns)
    return engine.drain(case.asked_ns)


def posts(envelopes: Sequence[Envelope]) -> Iterator[tuple[int, str, Any]]:
    """Documents to post, many of a kind in one: arrival of the last, path, document. Lineage comes first."""
    kinds: dict[str, list[Envelope]] = {LINEAGE: [], CHANGES: []}
    for one in envelopes:
        if not isinstance(one.body, bytes):
            kinds.setdefault(one.path, []).append(one)
    for path, members in kinds.items():
        if path not in (CHANGES, LINEAGE):
            yield from ((one.arrival_ns, path, one.body) for one in members)
            continue
        for at in range(0, len(members), MOST_AT_ONCE):
            part = members[at : at + MOST_AT_ONCE]
            yield part[-1].arrival_ns, path if path == CHANGES else f"{path}/batch", [one.body for one in part]


async def _post(client: httpx.AsyncClient, path: str, document: object) -> Any:
    """Post a document. Of a list that is refused for one of its members, the others are posted again without it."""
    response = await client.post(path, content=json.dumps(document), headers={"Content-Type": "application/json"})
    if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY and path == CHANGES:
        for one in document if isinstance(document, list) and len(document) > 1 else ():
            await _post(client, path, [one])
        return None
    if response.is_error:
        raise RuntimeError(f"{path} answered {response.status_code}: {response.text[:500]}")
    return response.json() if response.content else None


async def floors(store: EmbeddedStore, case: Case, bucket_s: int) -> tuple[Mapping[str, Scores], Mapping[str, Change]]:
    """Scores of every trivial baseline on what is stored, and the changes that they scored."""
    incident = Incident(Symptom(case.symptom), case.detected_ns)
    seen = await read_case(store, incident, now_ns=case.asked_ns, bucket_s=bucket_s, options=DEFAULT_OPTIONS)
    scene = scene_of(seen, DEFAULT_WEIGHTS)
    changes = {one.change.id: one.change for one in scene.candidates}
    with patch.object(baselines, "scene_of", lambda *_: scene):  # each would derive the same anew
        return {name: baseline(seen) for name, baseline in baselines.BASELINES.items()}, changes
