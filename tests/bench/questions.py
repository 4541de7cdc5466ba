"""How fast the big questions are answered: ``python -m tests.bench.questions --relations 1000000``.

Builds an organisation of so many relations among a twentieth as many entities and versions, nine tenths of its
dependencies declared, and asks over the API, in one process without sockets: search, blast radius, the undeclared
report, a page of figures, the page of an incident, the home page. Prints the median and the 95th percentile of each,
and the CPU time of all threads, which says what a machine without neighbours would take. ``--store bolt://...`` does
the same on a Neo4j, whose database should be empty; ``--data FOLDER`` keeps the embedded store there, and builds it
once.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from whence.api import create_app
from whence.main import open_store
from whence.model.change import Change
from whence.model.delta import EdgeCounts, EdgeKey, Entity, GraphDelta, Relation, RelationKey
from whence.model.kinds import ChangeKind, EntityKind, RelationType
from whence.model.sketch import encode
from whence.model.times import NS_PER_SECOND
from whence.settings import Settings
from whence.store.protocol import Store

END_S = 1_790_000_000
WEEK_S = 7 * 86_400
LAYERS = 10
WIDTH = 10
RELATIONS_PER_ENTITY = 100
"""Of a domain; with v versions of each thing, that many are spread over v * v pairs of versions."""
DECLARED_SHARE = 0.9
INCIDENTS = 10
NAMES = ("checkout", "ranking", "payment", "clicks", "fraud", "orders", "profile", "search", "stock", "events")
_KINDS = {8: EntityKind.MODEL, 9: EntityKind.DATASET}
_TYPES = {8: RelationType.USES_MODEL, 9: RelationType.READS}


class Size(NamedTuple):
    """How large the graph is: domains of a hundred entities, each with so many versions."""

    domains: int
    versions: int

    @classmethod
    def of(cls, relations: int, versions: int) -> Size:
        """About so many relations."""
        return cls(max(1, relations // (LAYERS * WIDTH * RELATIONS_PER_ENTITY)), versions)


def thing(domain: int, layer: int, index: int) -> str:
    """Key of an entity."""
    return f"otel://domain-{domain:04}#{NAMES[index]}-{layer}"


def pairs(domain: int, versions: int) -> Iterator[tuple[str, RelationType, str]]:
    """Which entity depends on which."""
    rng = random.Random(domain)
    each = RELATIONS_PER_ENTITY // versions**2
    for layer in range(LAYERS - 1):
        for index in range(WIDTH):
            below = [(lower, other) for lower in range(layer + 1, LAYERS) for other in range(WIDTH)]
            for lower, other in rng.sample(below, min(each, len(below))):
                yield thing(domain, layer, index), _TYPES.get(lower, RelationType.CALLS), thing(domain, lower, other)


def domain_delta(domain: int, versions: int) -> GraphDelta:
    """All of one domain, with calls in two buckets of the last minutes and a deployment for each service."""
    begin, end = (END_S - WEEK_S) * NS_PER_SECOND, END_S * NS_PER_SECOND
    entities: dict[str, Entity] = {}
    relations: dict[RelationKey, Relation] = {}
    for layer in range(LAYERS):
        for index in range(WIDTH):
            key, kind = thing(domain, layer, index), _KINDS.get(layer, EntityKind.SERVICE)
            entities[key] = Entity(key, kind, key, begin, end)
            for version in range(versions):
                exact = f"{key}@version:v{version}"
                entities[exact] = Entity(exact, EntityKind(f"{kind.value}_version"), key, begin, end)
                has = RelationKey(key, RelationType.HAS_VERSION, exact, "production")
                relations[has] = Relation(has, begin, end, end, begin)
    for src, type_, dst in pairs(domain, versions):
        for mine in range(versions):
            for theirs in range(versions):
                uses = RelationKey(f"{src}@version:v{mine}", type_, f"{dst}@version:v{theirs}", "production")
                relations[uses] = Relation(uses, begin, end, end, begin)
    return GraphDelta(entities, relations, dict(_counts(relations)), changes=dict(_changes(domain)))


def _counts(relations: dict[RelationKey, Relation]) -> Iterator[tuple[EdgeKey, EdgeCounts]]:
    latency = encode({60: 20.0, 70: 5.0})
    for key in relations:
        if key.type is not RelationType.HAS_VERSION and key.src.endswith("v0") and key.dst.endswith("v0"):
            for start_s in (END_S - 900, END_S - 600):
                yield EdgeKey(key, start_s, "bench"), EdgeCounts(25, 25.0, 1.0, 0.0, latency, b"")


def _changes(domain: int) -> Iterator[tuple[str, Change]]:
    for index in range(WIDTH):
        at = (END_S - 86_400 + index) * NS_PER_SECOND
        name = f"dep-{domain}-{index}"
        yield name, Change(name, ChangeKind.DEPLOYMENT, thing(domain, 0, index), at, at, at, "v0", "v1", "production")


def declarations(domain: int, versions: int) -> dict[str, Any]:
    """What the teams of a domain declare: most of it, as they would write it."""
    rng = random.Random(f"{domain}/declared")
    said: dict[str, list[str]] = {}
    for src, type_, dst in pairs(domain, versions):
        if rng.random() < DECLARED_SHARE:
            field = {RelationType.CALLS: "calls", RelationType.READS: "reads"}.get(type_, "uses_models")
            said.setdefault(src, []).append(f"{field}\t{dst}")
    things = []
    for src, lines in said.items():
        thing_: dict[str, Any] = {"name": src, "owner": f"team-{domain % 40}"}
        for line in lines:
            field, _, dst = line.partition("\t")
            thing_.setdefault(field, []).append(dst)
        things.append(thing_)
    text = json.dumps({"whence": 1, "things": things})
    return {"name": f"domain-{domain}", "files": [{"path": "whence.yaml", "text": text}]}


async def build(store: Store, client: httpx.AsyncClient, size: Size) -> float:
    """Fill an empty store; seconds that the graph took."""
    took = 0.0
    for domain in range(size.domains):
        delta = domain_delta(domain, size.versions)
        began = time.perf_counter()
        await store.upsert(delta)
        took += time.perf_counter() - began
        if domain % 4 == 0:  # a quarter of the organisation declares anything at all
            reply = await client.post("/api/v1/declarations", json=declarations(domain, size.versions))
            reply.raise_for_status()
    return took


async def ask(ask_once: Callable[[int], Awaitable[httpx.Response]], samples: int) -> dict[str, float]:
    """Milliseconds of one question asked again and again."""
    (await ask_once(samples)).raise_for_status()
    spent, cpu = [], []
    for number in range(samples):
        began, cpu_began = time.perf_counter(), time.process_time()
        (await ask_once(number)).raise_for_status()
        spent.append((time.perf_counter() - began) * 1_000)
        cpu.append((time.process_time() - cpu_began) * 1_000)
    return {**spread("", spent), **spread("CPU ", cpu)}


def spread(name: str, samples: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    samples = sorted(samples)
    return {f"{name}p50": statistics.median(samples), f"{name}p95": samples[int(len(samples) * 0.95)]}


def questions(
    client: httpx.AsyncClient, size: Size
) -> dict[str, tuple[Callable[[int], Awaitable[httpx.Response]], int]]:
    """Each question, and how often it is asked."""
    rng = random.Random(7)
    places = [(rng.randrange(size.domains), rng.randrange(LAYERS), rng.randrange(WIDTH)) for _ in range(200)]

    def search(number: int) -> Awaitable[httpx.Response]:
        words = ("payment", "chekout-3", "fraud-8", "domain-0002 ranking", "team-7", "rank")
        return client.get("/api/v1/search", params={"q": words[number % len(words)]})

    def blast(number: int) -> Awaitable[httpx.Response]:
        return client.get("/api/v1/downstream", params={"entity": thing(*places[number]), "from": "-1d"})

    def undeclared(_: int) -> Awaitable[httpx.Response]:
        return client.get("/api/v1/undeclared", params={"from": "-1d"})

    def figures(_: int) -> Awaitable[httpx.Response]:
        return client.get("/api/v1/kpis", params={"from": "-7d"})

    return {
        "search": (search, 60),
        "blast radius": (blast, 60),
        "undeclared report": (undeclared, 5),
        "figures": (figures, 5),
    }


async def open_incidents(client: httpx.AsyncClient, size: Size) -> list[str]:
    """Addresses of the pages of some incidents; each was investigated when this returns."""
    pages = []
    for number in range(INCIDENTS):
        body = {"title": f"slow {number}", "entity": thing(number % size.domains, 0, 0), "started_at": "-10m"}
        reply = await client.post("/api/v1/incidents", json=body)
        reply.raise_for_status()
        pages.append(f"/incidents/{reply.json()['id']}")
    return pages


async def run(settings: Settings, size: Size) -> dict[str, Any]:
    """Build where nothing is yet, then ask."""
    store = open_store(settings)
    await store.open()
    app = create_app(store=store, settings=settings, ingest=None, clock=lambda: END_S * NS_PER_SECOND)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://whence", timeout=None) as client:
        is_built = await store.entity(thing(size.domains - 1, 0, 0)) is not None
        built = 0.0 if is_built else await build(store, client, size)
        answers = {name: await ask(once, samples) for name, (once, samples) in questions(client, size).items()}
        pages = await open_incidents(client, size)
        html = {"Accept": "text/html"}
        answers["incident page"] = await ask(lambda one: client.get(pages[one % INCIDENTS], headers=html), 60)
        answers["home page"] = await ask(lambda _: client.get("/", headers=html), 20)
    counts = await store.counts()
    await store.close()
    return {"seconds to build": built, "rows": counts, "milliseconds": answers}


def table(figures: dict[str, Any]) -> str:
    """The figures, for people."""
    rows = ", ".join(f"{count:,} {name}" for name, count in sorted(figures["rows"].items()) if count)
    columns = ("p50", "p95", "CPU p50", "CPU p95")
    lines = [
        f"{rows}; built in {figures['seconds to build']:.0f} s",
        f"{'milliseconds':20}{''.join(f'{name:>12}' for name in columns)}",
    ]
    for name, one in figures["milliseconds"].items():
        lines.append(f"{name:20}{''.join(f'{one[column]:>12,.1f}' for column in columns)}")
    return "\n".join(lines)


def main(argv: list[str] | None = None, output: Callable[[str], None] = print) -> None:
    """Run at the size asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--relations", type=int, default=1_000_000)
    parser.add_argument("--versions", type=int, default=4, help="of each entity")
    parser.add_argument("--store", default="", help="bolt:// address; the embedded store when absent")
    parser.add_argument("--data", type=Path, help="folder of the embedded store; a new one when absent")
    options = parser.parse_args(argv)
    gc.set_threshold(100_000, 50, 100)  # as the server does
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=options.store, data_dir=options.data or Path(folder))
        size = Size.of(options.relations, options.versions)
        output(table(asyncio.run(run(settings, size))))


if __name__ == "__main__":
    main()
