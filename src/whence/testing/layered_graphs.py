"""Large graphs of a realistic shape for benchmarks: domains of layered services on top of a data lineage.

A domain has about 7,000 relations in twelve layers: eight of services that call the next layer, then models, data
sets, jobs and their inputs. Some nodes are hubs, three in a hundred relations lead back (cycles), and three in ten
relations were active only for a part of the thirty days.
"""

# ruff: noqa: S311 - nothing here is a secret.

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from whence.model.change import Change
from whence.model.delta import EdgeCounts, EdgeKey, Entity, GraphDelta, Relation, RelationKey
from whence.model.kinds import FOREVER_NS, ChangeKind, EntityKind, RelationType
from whence.model.sketch import encode
from whence.model.times import NS_PER_SECOND

END_S = 1_790_000_000
"""The present of the graph; it began ``DAYS`` earlier."""
DAYS = 30
BUCKET_SECONDS = 15
LAYERS = 12
WIDTH = 128
CALLS_OUT = 5
RELATIONS_PER_DOMAIN = (LAYERS - 1) * WIDTH * CALLS_OUT

_BEGIN_S = END_S - DAYS * 86_400
_FIRST_LINEAGE_LAYER = 8
_LINEAGE = (RelationType.USES_MODEL, RelationType.TRAINED_ON, RelationType.PRODUCED_BY, RelationType.READS)
_KINDS = (EntityKind.MODEL, EntityKind.DATASET, EntityKind.JOB, EntityKind.DATASET)


def node(domain: int, layer: int, index: int) -> str:
    """Key of a node."""
    return f"otel://domain-{domain}#layer-{layer:02}-node-{index:03}@version:{index % 7}"


def domain_relations(domain: int, seed: int) -> Iterator[Relation]:
    """The relations of one domain."""
    rng = random.Random(f"{seed}/{domain}")
    for layer in range(LAYERS - 1):
        type_ = _LINEAGE[layer - _FIRST_LINEAGE_LAYER + 1] if layer >= _FIRST_LINEAGE_LAYER - 1 else RelationType.CALLS
        for index in range(WIDTH):
            for _ in range(CALLS_OUT):
                leads_back = type_ is RelationType.CALLS and rng.random() < 0.03
                target = rng.randrange(layer + 1) if leads_back else layer + 1
                hub_first = int(WIDTH * rng.random() ** 3)
                key = RelationKey(node(domain, layer, index), type_, node(domain, target, hub_first), "production")
                yield _lived(rng, key)


def topology(relations: int, seed: int) -> Iterator[GraphDelta]:
    """About so many relations with their nodes and changes, in deltas of one domain each."""
    for domain in range(-(-relations // RELATIONS_PER_DOMAIN)):
        found = {one.key: one for one in domain_relations(domain, seed)}
        keys = {end for key in found for end in (key.src, key.dst)}
        yield GraphDelta(
            entities={key: _entity(key) for key in keys},
            relations=found,
            changes={one.id: one for one in _changes(domain, seed)},
        )


def folded(domain: int, seed: int, buckets: int) -> Iterator[tuple[Relation, EdgeKey, EdgeCounts]]:
    """One row for each relation that calls in each of the last buckets, bucket by bucket, as a folder counts them."""
    rng = random.Random(f"{seed}/{domain}/rows")
    calling = [one for one in domain_relations(domain, seed) if one.active_until_ns >= END_S * NS_PER_SECOND]
    for start_s in range(END_S - buckets * BUCKET_SECONDS, END_S, BUCKET_SECONDS):
        for one in calling:
            spans = rng.randrange(1, 200)
            sketch = encode({40 + step: float(rng.randrange(1, spans + 1)) for step in range(rng.randrange(1, 9))})
            counts = EdgeCounts(spans, float(spans), float(spans // 50), float(spans // 90), sketch, sketch[:10])
            yield one, EdgeKey(one.key, start_s, "bench"), counts


def batches(rows: Iterator[tuple[Relation, EdgeKey, EdgeCounts]], size: int) -> Iterator[GraphDelta]:
    """Rows in deltas of about ``size`` facts, each with the relations that it counts, seen in that bucket."""
    while batch := list(islice(rows, size // 2)):
        relations = {one.key: one for one, _, _ in batch}
        yield GraphDelta(relations=relations, edges={key: counts for _, key, counts in batch})


def _lived(rng: random.Random, key: RelationKey) -> Relation:
    first_s, last_s = _BEGIN_S, END_S
    if rng.random() < 0.3:
        first_s = rng.randrange(_BEGIN_S, END_S)
        last_s = min(END_S - 1, first_s + int(rng.expovariate(1 / 86_400)))
    first, last = first_s * NS_PER_SECOND, last_s * NS_PER_SECOND
    return Relation(key, first, last, FOREVER_NS if key.type.is_lasting else last, first)


def _entity(key: str) -> Entity:
    layer = int(key.partition("#layer-")[2][:2])
    kind = EntityKind.SERVICE if layer < _FIRST_LINEAGE_LAYER else _KINDS[layer - _FIRST_LINEAGE_LAYER]
    return Entity(key, kind, key.partition("@")[0], _BEGIN_S * NS_PER_SECOND, END_S * NS_PER_SECOND)


def _changes(domain: int, seed: int) -> Iterator[Change]:
    rng = random.Random(f"{seed}/{domain}/changes")
    for number in range(300):
        when = rng.randrange(_BEGIN_S, END_S) * NS_PER_SECOND
        subject = node(domain, rng.randrange(LAYERS), rng.randrange(WIDTH))
        yield Change(f"{domain}-{number}", ChangeKind.DEPLOYMENT, subject, when, when, when)
